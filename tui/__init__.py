"""What a person sees: the command line now, the dashboard on top of it. Never imports the model stack."""
