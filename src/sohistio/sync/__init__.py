"""What of a standby is not as the environment that it stands by for has it: objects, files, certificates. Pure."""
