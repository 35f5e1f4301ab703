"""How the direct transformation network is trained: transfers with a truth, the loop, its pictures."""
