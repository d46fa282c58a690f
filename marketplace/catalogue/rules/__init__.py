"""What the catalogue decides, without a database: values, words, the national layout, listing."""
