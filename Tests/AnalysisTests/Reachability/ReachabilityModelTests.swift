import Analysis
import Manifest
import Policy
import Testing

@Suite struct ReachabilityModelTests {
    private static let shop = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop, labels: {team: sales}}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          template:
            metadata: {labels: {app: web}}
            spec: {containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: db, namespace: shop}
        spec:
          template:
            metadata: {labels: {app: db}}
            spec: {containers: [{name: c, ports: [{name: sql, containerPort: 5432}]}]}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: db, namespace: shop}
        spec:
          podSelector: {matchLabels: {app: db}}
          ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: sql}]}]
        """

    @Test func rowsPutAlikeEndsTogether() {
        let rows = ReachabilityModel(cluster(Self.shop)).connections().map(\.text)
        #expect(
            rows == [
                "Deployment shop/db Deployment shop/web 0.0.0.0/0 ::/0 -> Deployment shop/web: all ports",
                "Deployment shop/db Deployment shop/web -> 0.0.0.0/0 ::/0: all ports",
                "Deployment shop/web -> Deployment shop/db: TCP 5432",
            ])
    }

    @Test func filtersKeepOnlyWhatIsAskedFor() throws {
        let model = ReachabilityModel(cluster(Self.shop))
        let web = ObjectID(.deployment, namespace: "shop", name: "web")
        #expect(
            model.connections(from: .workloads([web]), to: .pods).map(\.text) == [
                "Deployment shop/web -> Deployment shop/db: TCP 5432",
                "Deployment shop/web -> Deployment shop/web: all ports",
            ])
        let block = try #require(AddressBlock("192.0.2.0/24"))
        #expect(
            model.connections(from: .addresses(block)).map(\.text) == ["192.0.2.0/24 -> Deployment shop/web: all ports"]
        )
        #expect(
            model.connections(from: .external, to: .workloads([web])).map(\.text) == [
                "0.0.0.0/0 ::/0 -> Deployment shop/web: all ports"
            ])
        #expect(model.connections(from: .external, to: .external).isEmpty)
        #expect(model.connections(from: .workloads([])).isEmpty)
    }

    @Test func everyPairIsCalledOnce() {
        var pairs: [String] = []
        ReachabilityModel(cluster(Self.shop)).forEachConnection(from: .pods, to: .pods) { source, destination, ports in
            pairs.append("\(source) \(destination) \(ports)")
        }
        #expect(
            pairs.sorted() == [
                "Deployment shop/db Deployment shop/web all ports",
                "Deployment shop/web Deployment shop/db TCP 5432", "Deployment shop/web Deployment shop/web all ports",
            ])
    }

    @Test func externalAddressesAreCutWhereAPolicyCutsThem() {
        let model = ReachabilityModel(
            cluster(Self.shop).adding(
                """
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: web, namespace: shop}
                spec:
                  podSelector: {matchLabels: {app: web}}
                  ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [128.0.0.0/1]}}], ports: [{port: http}]}]
                """))
        #expect(
            model.connections(from: .external).map(\.text) == ["0.0.0.0/1 -> Deployment shop/web: TCP 8080"])
    }

    @Test func explainsWithPolicyAndRule() throws {
        let model = ReachabilityModel(cluster(Self.shop))
        let found = try #require(model.explain(from: deployment("shop", "web"), to: deployment("shop", "db")))
        #expect(found.egress.isolating == [])
        #expect(found.egress.ports == .all)
        #expect(found.ingress.isolating == [policyID("shop", "db")])
        #expect(found.ingress.allowances.map(\.rule) == [0])
        #expect(found.ingress.allowances.first?.origin != nil)
        #expect(found.ports.description == "TCP 5432")
        let denied = try #require(model.explain(from: try external("192.0.2.1"), to: deployment("shop", "db")))
        #expect(denied.ingress.isolating == [policyID("shop", "db")])
        #expect(denied.ingress.allowances == [])
        #expect(denied.ports.isEmpty)
        #expect(model.explain(from: deployment("shop", "none"), to: deployment("shop", "db")) == nil)
    }

    @Test func anAddressOfAPodCountsButDependsOnThePlugin() throws {
        let model = ReachabilityModel(
            cluster(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: p, namespace: a}
                status: {podIP: 10.0.0.1}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: q, namespace: b}
                status: {podIPs: [{ip: 10.0.0.2}, {ip: '2001:db8::2'}]}
                ---
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: rules, namespace: a}
                spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: '2001:db8::/64'}}]}]}
                """))
        let found = try #require(model.explain(from: pod("b", "q"), to: pod("a", "p")))
        #expect(found.ports == .all)
        #expect(found.ingress.allowances.map(\.isPluginDependent) == [true])
        #expect(model.ports(from: pod("a", "p"), to: pod("a", "p")) == PortSet.none)
    }

    @Test func aBlockOfAddressesMayUseWhatAllOfThemMay() throws {
        let model = ReachabilityModel(
            cluster(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: p, namespace: a}
                ---
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: rules, namespace: a}
                spec:
                  podSelector: {}
                  ingress:
                  - {from: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 80}]}
                  - {from: [{ipBlock: {cidr: 10.0.0.0/9}}], ports: [{port: 81}]}
                """))
        #expect(model.ports(from: try external("10.0.0.0/8"), to: pod("a", "p"))?.description == "TCP 80")
        #expect(model.ports(from: try external("10.0.0.0/9"), to: pod("a", "p"))?.description == "TCP 80-81")
        #expect(model.ports(from: try external("0.0.0.0/0"), to: pod("a", "p")) == PortSet.none)
        #expect(model.ports(from: try external("10.0.0.1"), to: try external("10.0.0.2")) == nil)
    }

    @Test func aServiceLeadsToThePortsOfItsPods() throws {
        let service = try #require(
            cluster(
                """
                apiVersion: v1
                kind: Service
                metadata: {name: web, namespace: shop}
                spec:
                  selector: {app: web}
                  ports: [{port: 80, targetPort: http}, {port: 81, targetPort: 9000}, {port: 82}, {port: 83, targetPort: no}]
                """
            ).all(.service).first)
        let backends = ReachabilityModel(cluster(Self.shop)).backends(of: service)
        #expect(backends.map(\.end) == [deployment("shop", "web")])
        #expect(backends.first?.ports.map(\.servicePort) == [80, 81, 82])
        #expect(backends.first?.ports.map(\.targetPort) == [8080, 9000, 82])
    }
}
