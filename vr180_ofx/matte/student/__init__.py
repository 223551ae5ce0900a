"""The project's own matting network: one person's alpha from a picture and a mask, however crude."""
