# Empty dependencies file for sora_torch.
# This may be replaced when dependencies are built.
