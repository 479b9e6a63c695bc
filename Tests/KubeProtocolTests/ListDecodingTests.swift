import JSON
import KubeProtocol
import Manifest
import Testing

@Suite struct ListDecodingTests {
    private func decode(_ json: String, of resource: Resource = .role) throws -> ListPage {
        try decodeList(Array(json.utf8), of: resource)
    }

    @Test func itemsGetTheKindOfTheRequest() throws {
        let page = try decode(
            """
            {"kind":"RoleList","apiVersion":"rbac.authorization.k8s.io/v1","metadata":{"resourceVersion":"812"},
            "items":[{"metadata":{"name":"reader","namespace":"a","uid":"u1","resourceVersion":"7"},"rules":null}]}
            """)
        let role = try #require(page.objects.first)
        #expect(role.id == ObjectID(.role, namespace: "a", name: "reader"))
        #expect(role.uid == "u1")
        #expect(role.resourceVersion == "7")
        #expect(role.tree["kind"] == "Role")
        #expect(role.tree["apiVersion"] == "rbac.authorization.k8s.io/v1")
        #expect(role.tree["rules"]?.isNull == true, "an object is kept as it came (rule B10)")
        #expect(page.resourceVersion == "812")
        #expect(page.continuation == nil)
    }

    @Test(arguments: [Resource.namespace, .networkPolicy, .clusterRoleBinding])
    func itemsThatNameAnotherKindGetTheKindOfTheRequest(_ resource: Resource) throws {
        let page = try decode(
            """
            {"metadata":{"resourceVersion":"1"},"items":[{"kind":"PartialObjectMetadata",
            "apiVersion":"meta.k8s.io/v1","metadata":{"name":"n","uid":"u","resourceVersion":"1"}}]}
            """, of: resource)
        #expect(page.objects.map(\.id) == [ObjectID(resource, name: "n")])
        #expect(page.objects.first?.tree["kind"] == .string(resource.kind))
    }

    @Test func aPageNamesTheNextOne() throws {
        let page = try decode(#"{"metadata":{"resourceVersion":"1","continue":"tok"},"items":[]}"#)
        #expect(page.continuation == "tok")
    }

    @Test func anEmptyTokenIsNone() throws {
        #expect(try decode(#"{"metadata":{"resourceVersion":"1","continue":""},"items":[]}"#).continuation == nil)
    }

    @Test(arguments: ["[]", "null"])
    func aListMayBeEmpty(_ items: String) throws {
        #expect(try decode(#"{"metadata":{"resourceVersion":"1"},"items":\#(items)}"#).objects.isEmpty)
    }

    /// A list with a hole must never count as complete: what is missing from it would be taken for deleted.
    @Test(arguments: [
        #"{"metadata":{"resourceVersion":"1"}}"#, #"{"items":[]}"#, #"{"metadata":{"resourceVersion":""},"items":[]}"#,
        #"{"metadata":{"resourceVersion":"1"},"items":{}}"#, #"{"metadata":{"resourceVersion":"1"},"items":"x"}"#,
        #"{"metadata":{"resourceVersion":"1"},"items":[{}]}"#,
        #"{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"n","uid":"u"}}]}"#,
        #"{"metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"n","resourceVersion":"1"}}]}"#,
        #"{"metadata":{"resourceVersion":"1"},"items":[null]}"#, #"{"metadata":{"resourceVersion":"1"},"items":["#,
        "", "404 page not found", "<html></html>", #"{"kind":"Status","status":"Failure"}"#,
    ])
    func whatIsNoCompleteListIsRefused(_ json: String) {
        #expect(throws: DecodingFailure.self) { try decode(json) }
    }
}
