# Everything is in lab.py, which Windows users call directly: py lab.py, py lab.py test.
# Options go in ARGS, e.g. make lab ARGS="--no-browser --port 9999", make test ARGS="-k handshake".
# make fuzz TIME=600 fuzzes each parser for ten minutes.
PYTHON ?= python3
ARGS ?=

.PHONY: lab test test-all site slides bench conformance soak hosting fuzz setup lock clean

lab test test-all site slides bench conformance soak hosting fuzz setup lock clean:
	@$(PYTHON) lab.py $@ $(ARGS)
