# One target for each thing people and the pipeline do; bare `make` prints them.
.DEFAULT_GOAL := help
.PHONY: help demo test image image-dockerfile e2e e2e-node bench bench-memory bench-analysis bench-journal format lint release

# An import that the module graph does not allow is a build error.
SWIFT_FLAGS := --explicit-target-dependency-import-check error
RELEASE := .build-release

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: release ## all of it on an embedded cluster, in under a minute
	$(RELEASE)/release/bylaw demo

# With all of them at once, each task waits for a minute until one of two threads is free, and time limits mean nothing.
test: ## build and run the tests; needs no cluster
	@.ci/install-packages test
	swift build --build-tests $(SWIFT_FLAGS)
	SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=16 swift test --skip-build --disable-xctest

e2e: release ## the end-to-end suites against a real kube-apiserver (made once, about seven minutes)
	@.ci/install-packages e2e
	swift build --build-tests $(SWIFT_FLAGS)
	BYLAW_E2E_PROGRAM=$(CURDIR)/$(RELEASE)/release/bylaw .ci/with-cluster .ci/test-e2e

image: release ## the OCI image in .build-image, without a container engine, with the list of its parts (SPDX)
	@.ci/install-packages image
	Deploy/image/build $(RELEASE)/release/bylaw .build-image
	.ci/test-image .build-image

image-dockerfile: ## the same image by Deploy/Dockerfile, compared with it (root; about ten minutes)
	@.ci/install-packages dockerfile
	.ci/build-dockerfile

e2e-node: image ## the Deployment as a pod of a whole one-node cluster (root; made once, about fourteen minutes)
	@.ci/install-packages node
	BYLAW_E2E_PROGRAM=$(CURDIR)/$(RELEASE)/release/bylaw .ci/with-node .ci/test-node .build-image

bench: release ## 1,000 objects: bylaw sync against kubectl apply --server-side
	@.ci/install-packages e2e
	BYLAW_CLUSTER_FSYNC=yes BYLAW_E2E_PROGRAM=$(CURDIR)/$(RELEASE)/release/bylaw .ci/with-cluster .ci/bench

bench-memory: release ## memory of bylaw run for 100 to 10,000 objects, at rest and at most
	@.ci/install-packages e2e
	BYLAW_E2E_PROGRAM=$(CURDIR)/$(RELEASE)/release/bylaw .ci/with-cluster .ci/bench-memory

bench-analysis: release ## check, diff and reach on large input; needs no cluster
	.ci/bench-analysis $(RELEASE)/release/bylaw

bench-journal: ## 1,000,000 entries: group commit, verification, filters; and every tampering with 10,000 is found
	@.ci/install-packages build
	swift build --configuration release --product journal-benchmark --build-path $(RELEASE) --static-swift-stdlib $(SWIFT_FLAGS)
	$(RELEASE)/release/journal-benchmark

release: ## build the program as it is shipped
	@.ci/install-packages build
	swift build --configuration release --product bylaw --build-path $(RELEASE) --static-swift-stdlib $(SWIFT_FLAGS)

format: ## write all Swift files in the project's format
	swift format --in-place --recursive Sources Tests Package.swift

lint: ## formatting, the purity of the pure modules, scripts, embedded runbooks, alerts
	@.ci/lint
