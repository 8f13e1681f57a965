"""Models of one webhook, as a host would write them with other libraries, for `bench.edges`.

Each reads the paths that the sender documents today, into the facts that `listboss.hotmart.parse`
returns for the same body. A model refuses a whole body for one odd value.
"""
