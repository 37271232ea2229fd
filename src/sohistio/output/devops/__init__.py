"""What a command says to Azure DevOps: issues, variables, a summary, test results.

`facts` keeps what came of the command and derives issues and variables from it, `summary` (with `markdown`) the page;
both are pure. `agent` writes it all once, at the end of the process; `reporter` groups the lines of a run. Nothing of
this happens where `TF_BUILD` is not true. Commands that look tell `agent` what they found; runs do by their reporter.
"""
