/// Two spellings of one letter: equal to Swift, two names to Kubernetes.
let composed = "\u{E9}"
let decomposed = "e\u{301}"
