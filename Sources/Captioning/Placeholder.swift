// Captioning
