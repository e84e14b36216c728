"""A map of trainability on the screen: the picture, and the screen that it fills in on."""
