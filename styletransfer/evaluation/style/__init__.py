"""How well does an encoder hear mixing style, on songs that nothing was trained on?"""
