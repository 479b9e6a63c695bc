import Manifest

/// Every field of the nine managed kinds, as Kubernetes 1.36 declares them.
enum KindSchema {
    static func shape(of resource: Resource) -> ObjectShape? { shapes[resource.kind] }

    private static let shapes: [String: ObjectShape] = [
        "Namespace": kind(
            Field(
                "spec",
                .object(Field("finalizers", .list(of: .string), owner: .server))),
            Field(
                "status",
                .object(
                    Field("phase", .string),
                    Field(
                        "conditions",
                        .list(
                            of: .object(
                                Field("type", .string), Field("status", .string), Field("reason", .string),
                                Field("message", .string), Field("lastTransitionTime", .string))))),
                owner: .server)),
        "ServiceAccount": kind(
            Field("automountServiceAccountToken", .bool),
            Field("imagePullSecrets", .list(of: .object(Field("name", .string)))),
            Field("secrets", .list(of: objectReference))),
        "ResourceQuota": kind(
            Field(
                "spec",
                .object(
                    Field("hard", .map(of: .quantity)),
                    Field("scopes", .list(of: .string)),
                    Field("scopeSelector", scopeSelector, emptiness: .kept)),
                emptiness: .kept),
            Field(
                "status",
                .object(Field("hard", .map(of: .quantity)), Field("used", .map(of: .quantity))),
                owner: .server)),
        "LimitRange": kind(
            Field("spec", .object(Field("limits", .list(of: limit), emptiness: .kept)), emptiness: .kept)),
        "NetworkPolicy": kind(
            Field("spec", networkPolicySpec, emptiness: .kept),
            // Kubernetes 1.24 to 1.27 had a status; newer servers no longer know it.
            Field("status", .anything, owner: .server)),
        "Role": kind(Field("rules", .list(of: policyRule), emptiness: .kept)),
        "ClusterRole": kind(
            Field("rules", .list(of: policyRule), emptiness: .kept),
            Field(
                "aggregationRule",
                .object(Field("clusterRoleSelectors", .list(of: labelSelector))),
                emptiness: .kept)),
        "RoleBinding": kind(
            Field("roleRef", roleReference, emptiness: .kept),
            Field("subjects", .list(of: subject), emptiness: .kept)),
        "ClusterRoleBinding": kind(
            Field("roleRef", roleReference, emptiness: .kept),
            Field("subjects", .list(of: subject), emptiness: .kept)),
    ]

    private static func kind(_ fields: Field...) -> ObjectShape {
        ObjectShape(
            [
                Field("apiVersion", .string, emptiness: .kept), Field("kind", .string, emptiness: .kept),
                Field("metadata", .object(objectMetadata), emptiness: .kept),
            ] + fields)
    }

    private static let objectMetadata = ObjectShape([
        Field("name", .string),
        Field("namespace", .string),
        Field("labels", .map(of: .string)),
        Field("annotations", .map(of: .string)),
        Field("generateName", .string),
        Field("finalizers", .list(of: .string)),
        Field(
            "ownerReferences",
            .list(
                of: .object(
                    Field("apiVersion", .string), Field("kind", .string), Field("name", .string),
                    Field("uid", .string), Field("controller", .bool), Field("blockOwnerDeletion", .bool)))),
        Field("uid", .string, owner: .server),
        Field("resourceVersion", .string, owner: .server),
        Field("generation", .integer(bits: 64), owner: .server),
        Field("creationTimestamp", .string, owner: .server),
        Field("deletionTimestamp", .string, owner: .server),
        Field("deletionGracePeriodSeconds", .integer(bits: 64), owner: .server),
        Field("selfLink", .string, owner: .server),
        Field(
            "managedFields",
            .list(
                of: .object(
                    Field("manager", .string), Field("operation", .string), Field("apiVersion", .string),
                    Field("time", .string), Field("fieldsType", .string), Field("fieldsV1", .anything),
                    Field("subresource", .string))),
            owner: .server),
    ])

    private static let objectReference = Shape.object(
        Field("kind", .string), Field("namespace", .string), Field("name", .string), Field("uid", .string),
        Field("apiVersion", .string), Field("resourceVersion", .string), Field("fieldPath", .string))

    static let labelSelector = Shape.object(
        Field("matchLabels", .map(of: .string)),
        Field(
            "matchExpressions",
            .list(
                of: .object(
                    Field("key", .string), Field("operator", .string), Field("values", .list(of: .string))))))

    private static let scopeSelector = Shape.object(
        Field(
            "matchExpressions",
            .list(
                of: .object(
                    Field("scopeName", .string), Field("operator", .string), Field("values", .list(of: .string))))))

    private static let limit = Shape.object(
        Field("type", .string), Field("max", .map(of: .quantity)), Field("min", .map(of: .quantity)),
        Field("default", .map(of: .quantity)), Field("defaultRequest", .map(of: .quantity)),
        Field("maxLimitRequestRatio", .map(of: .quantity)))

    private static let policyRule = Shape.object(
        Field("verbs", .list(of: .string)), Field("apiGroups", .list(of: .string)),
        Field("resources", .list(of: .string)), Field("resourceNames", .list(of: .string)),
        Field("nonResourceURLs", .list(of: .string)))

    private static let roleReference = Shape.object(
        Field("apiGroup", .string), Field("kind", .string), Field("name", .string))

    private static let subject = Shape.object(
        Field("kind", .string), Field("apiGroup", .string), Field("name", .string), Field("namespace", .string))

    private static let networkPolicySpec = Shape.object(
        Field("podSelector", labelSelector, emptiness: .kept),
        Field("policyTypes", .list(of: .string)),
        Field("ingress", .list(of: .object(Field("from", peers), Field("ports", ports)))),
        Field("egress", .list(of: .object(Field("to", peers), Field("ports", ports)))))

    private static let peers = Shape.list(
        of: .object(
            Field("podSelector", labelSelector, emptiness: .kept),
            Field("namespaceSelector", labelSelector, emptiness: .kept),
            Field(
                "ipBlock", .object(Field("cidr", .string), Field("except", .list(of: .string))), emptiness: .kept)))

    private static let ports = Shape.list(
        of: .object(
            Field("protocol", .string, emptiness: .kept), Field("port", .integerOrString, emptiness: .kept),
            Field("endPort", .integer(bits: 32))))
}
