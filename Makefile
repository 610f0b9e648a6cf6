# Varve. Every target works from a clean clone; `make setup` runs first and installs what is missing.

SHELL := /bin/bash
PYTHON := /usr/bin/python3
SCRATCH_GROUND := .build/ground
DATA ?= varve-data
LISTEN ?= 127.0.0.1:8420

.PHONY: help setup setup-test setup-bench build test test-ground test-clients test-simulation sim demo run bench fuzz asan tsan lint clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## install the system packages a build needs
	@scripts/setup build

setup-test:
	@scripts/setup build test s3

setup-bench:
	@scripts/setup build test bench

build: setup ## build .build/release/varve
	swift build -c release --product varve

test: setup-test ## run every test
	@scripts/test

test-ground: setup ## run the unit tests of the rooms below HTTP
	VARVE_WITHOUT_HTTP=1 swift test --scratch-path $(SCRATCH_GROUND)

test-clients: setup-test build ## run the real clients, the command line and the crash harness against the binary
	@scripts/test clients

test-simulation: setup-test ## two minutes of random histories on a simulated disk, and the broken engines they must find
	@scripts/test simulation

sim: setup-test build ## the same for four hours (VARVE_SIM_SECONDS), and 1000 kills of the real process
	@scripts/sim

demo: setup-test build ## a disk, snapshots, a restore and a rollback on real files
	@scripts/demo

run: build ## serve with the embedded defaults; DATA=dir LISTEN=host:port
	.build/release/varve serve --data $(DATA) --listen $(LISTEN)

bench: setup-bench build ## compare with peers in the same run
	@scripts/bench

fuzz: setup ## feed every decoder with libFuzzer for FUZZ_SECONDS each (600)
	@scripts/fuzz $(or $(FUZZ_SECONDS),600)

asan: setup ## engine, NBD, repository and store tests under the address and leak sanitizer; SHARE=1 for all cases
	@scripts/sanitize address $(or $(SHARE),16)

tsan: setup ## the same under the thread sanitizer
	@scripts/sanitize thread $(or $(SHARE),16)

lint: setup ## check format and the house rules
	swift format lint -r -s Sources Tests Package.swift Fuzz/Sources Fuzz/Package.swift
	VARVE_WITHOUT_HTTP=1 swift test --scratch-path $(SCRATCH_GROUND) --filter TidyTests

clean: ## remove everything that was built
	rm -rf .build
