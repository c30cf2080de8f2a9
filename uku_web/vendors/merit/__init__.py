"""Merit Aktiva, in Poland 360 Księgowość: https://api.merit.ee/connecting-robots/reference-manual/"""
