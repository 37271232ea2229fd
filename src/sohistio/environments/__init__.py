"""The environments: their files read in layers, validated, and rendered into one IstioOperator."""
