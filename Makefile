# The front door. CMake does the work and is usable alone: cmake -B build && cmake --build build
BUILD ?= build
MODEL ?= smollm2-135m
PREFIX ?= /usr/local
JOBS ?=
ARGS ?=
CMAKE_BUILD = cmake --build $(BUILD) --parallel $(or $(JOBS),$(shell nproc))
# Nothing that builds may print to standard output or eat standard input: make -s chat is a filter.
QUIETLY = </dev/null >&2
SILENT := $(findstring s,$(firstword -$(MAKEFLAGS)))

.PHONY: all program chat test test-full bench deps format install clean instructions
all: program

$(BUILD)/.deps-build: tools/deps.sh
	@sh tools/deps.sh build $@
$(BUILD)/.deps-test: tools/deps.sh
	@sh tools/deps.sh test $@
$(BUILD)/CMakeCache.txt: | $(BUILD)/.deps-build
	@cmake --log-level=NOTICE -S . -B $(BUILD) `command -v ninja >/dev/null && echo -G Ninja` $(QUIETLY)

program: $(BUILD)/CMakeCache.txt | $(BUILD)/.deps-build
	@$(CMAKE_BUILD) --target loam $(if $(and $(SILENT),$(wildcard $(BUILD)/build.ninja)),-- --quiet) $(QUIETLY)

# MODEL is a name of tools/demo/models.tsv or a path; ARGS are options of `loam chat`. SYSTEM_<name>: a demo model's
# system message. With the one of its own template SmolLM2 stands at a fork when it is asked for the capital of France
# ("The" and "L" are almost equally likely; int8 activations, here as in llama.cpp, tip it to "L'Etoile ...").
SYSTEM_smollm2-135m = You are a helpful AI assistant.
chat: program
	@model=`sh tools/demo/fetch.sh '$(MODEL)'` && exec $(BUILD)/loam chat "$$model" $(if $(SYSTEM_$(MODEL)),-sys '$(SYSTEM_$(MODEL))') $(ARGS)

# Without MODEL: all demo models that were downloaded before.
bench: program
ifeq ($(origin MODEL),file)
	@exec sh tools/demo/fetch.sh --present $(BUILD)/loam bench $(ARGS)
else
	@model=`sh tools/demo/fetch.sh '$(MODEL)'` && exec $(BUILD)/loam bench "$$model" $(ARGS)
endif

# test fetches the default demo model alone; test-full all of them, and turns the slow sweeps on.
test: $(BUILD)/CMakeCache.txt | $(BUILD)/.deps-test
	@bash tests/cmake/run.sh $(BUILD) $(or $(JOBS),$(shell nproc)) smollm2-135m
test-full: $(BUILD)/CMakeCache.txt | $(BUILD)/.deps-test
	@LOAM_TEST_FULL=1 bash tests/cmake/run.sh $(BUILD) $(or $(JOBS),$(shell nproc)) smollm2-135m gemma3-270m qwen2.5-coder-1.5b

# Counts the instructions of the main kernels anew: the table that check_instructions compares with.
instructions: $(BUILD)/CMakeCache.txt | $(BUILD)/.deps-test
	@$(CMAKE_BUILD) --target instructions_tool
	@LOAM_BUILD=$(BUILD) bash tests/instructions.sh update
	@LOAM_BUILD=$(BUILD) LOAM_UPDATE_INSTRUCTIONS=update bash tests/aarch64.sh instructions

deps:
	@sh tools/deps.sh test

format:
	@git ls-files '*.h' '*.cpp' '*.c' | xargs clang-format -i

install: $(BUILD)/CMakeCache.txt | $(BUILD)/.deps-build
	@$(CMAKE_BUILD)
	@cmake --install $(BUILD) --prefix '$(PREFIX)'

clean:
	@rm -rf '$(BUILD)'
