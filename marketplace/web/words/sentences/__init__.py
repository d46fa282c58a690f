CATALOGUE: dict[str,str] = {}
