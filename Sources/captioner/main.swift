print("captioner")
