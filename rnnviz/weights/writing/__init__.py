"""Files of weights for other frameworks, each as the bytes of a file that the framework itself reads."""
