# Two commands are enough: `make run` and `make test`. Both work on a bare machine that has Swift.

# Given to every `swift build` and `swift test`, for example: make test SWIFT_ARGUMENTS="--jobs 1"
SWIFT_ARGUMENTS ?=
# Given to the program, for example: make run ARGUMENTS="search --preset digits --epochs 5"
ARGUMENTS ?=
# Where make install puts things, and a folder that stands for the root of the system.
PREFIX ?= /usr/local
DESTDIR ?=
# What is installed and packed. A program that is named is taken as it is, and none is built.
PROGRAM ?= .build/release/supertop
page := .build/manual/supertop.1

.PHONY: help run test build install uninstall package manual lint check clean dependencies

help:
	@echo 'make run        install what is missing, build, open the dashboard on the built-in data'
	@echo 'make test       install what is missing, build, pass every test'
	@echo 'make build      the same as run, without running: .build/release/supertop'
	@echo 'make install    program, manual page, completions, themes and licences below PREFIX'
	@echo 'make uninstall  take them away'
	@echo 'make package    a tarball and a Debian package of the same, in .build/package'
	@echo 'make lint       formatting rules of the sources'
	@echo 'make check      all that the gate checks: tests, lint, documentation, kernels and more'
	@echo 'make clean      remove what was built (never a run)'

run: build
	@.build/release/supertop $(ARGUMENTS)

# Debugging information would add 30 MB to the program. On Linux it holds the Swift runtime, with
# which it is 96 MB large instead of 24, and so runs where there is no Swift.
build: dependencies
	swift build $(SWIFT_ARGUMENTS) --configuration release --product supertop \
	  -debug-info-format none --disable-local-rpath \
	  $(if $(filter Linux,$(shell uname -s)),--static-swift-stdlib)

# Not `swift test` alone, which also builds the tools of the packages: a compiler of protocols.
# An incremental debug build compares interfaces, so it would keep instances of old kernels.
test:
	@Scripts/install-dependencies.sh tests
	@Scripts/install-dependencies.sh mpi || echo 'make: the tests that need MPI are skipped' >&2
	@Scripts/install-onnxruntime.sh
	@Scripts/install-tensorboard.sh
	@[ -z "$$(find Sources/Kernels -newer Sources/KernelsBaseline/KernelsBaseline.swift)" ] || \
	  touch Sources/KernelsBaseline/*.swift Sources/KernelsAVX*/*.swift
	swift build $(SWIFT_ARGUMENTS) --product supertop
	swift build $(SWIFT_ARGUMENTS) --product supertopPackageTests
	swift test $(SWIFT_ARGUMENTS) --skip-build

install: manual
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' Scripts/install '$(PROGRAM)' $(page)

uninstall:
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' Scripts/install --remove

package: manual
	@Scripts/package '$(PROGRAM)' $(page)

manual: $(if $(filter .build/release/supertop,$(PROGRAM)),build)
	@Scripts/generate-manual '$(PROGRAM)' $(page)

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

check:
	@bash .ci/run

clean:
	swift package clean
	rm -rf .build/manual .build/package

dependencies:
	@Scripts/install-dependencies.sh
