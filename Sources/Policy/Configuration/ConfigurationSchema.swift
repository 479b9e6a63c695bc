/// The fields of `bylaw.yaml`.
enum ConfigurationSchema {
    static let shape = ObjectShape([
        Field("apiVersion", .string, emptiness: .kept),
        Field("kind", .string, emptiness: .kept),
        Field("managedKinds", .list(of: .string), emptiness: .kept),
        Field(
            "scopes",
            .object(
                Field("default", .string, emptiness: .kept),
                Field(
                    "rules",
                    .list(
                        of: .object(
                            Field("clusterWide", .bool),
                            Field("namespaces", .list(of: .string), emptiness: .kept),
                            Field("namespaceSelector", KindSchema.labelSelector, emptiness: .kept),
                            Field("kinds", .list(of: .string), emptiness: .kept),
                            Field("mode", .string, emptiness: .kept)))),
                Field("exclude", .list(of: pattern)), Field("otherInstances", .list(of: .string)))),
        Field(
            "guardrails",
            .object(
                Field(
                    "deletions",
                    .object(
                        Field("maximum", .integer(bits: 32)), Field("maximumPercent", .integer(bits: 32)),
                        Field("always", .integer(bits: 32)))),
                Field("risks", .map(of: .string)),
                Field(
                    "approvers",
                    .list(of: .object(Field("name", .string), Field("signers", .list(of: .string))))))),
        Field("protected", .list(of: pattern)),
        Field("fights", .object(Field("yield", .list(of: pattern)))),
        Field(
            "prevention",
            .object(
                Field("enabled", .bool),
                Field("breakGlass", .object(Field("group", .string), Field("longest", .string))),
                Field("exemptUsers", .list(of: .string)), Field("exemptGroups", .list(of: .string)))),
        Field(
            "clusters",
            .list(
                of: .object(
                    Field("name", .string), Field("labels", .map(of: .string)),
                    Field("folders", .list(of: .string), emptiness: .kept)))),
    ])

    /// An ``ObjectPattern``.
    private static let pattern = Shape.object(
        Field("kinds", .list(of: .string), emptiness: .kept),
        Field("names", .list(of: .string), emptiness: .kept),
        Field("namespaces", .list(of: .string), emptiness: .kept),
        Field("labels", KindSchema.labelSelector, emptiness: .kept),
        Field("ownerKinds", .list(of: .string), emptiness: .kept))
}
