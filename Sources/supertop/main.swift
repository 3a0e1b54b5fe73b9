print("supertop")
