import Commands
import Shipping
import Testing

@Suite struct TraceEnvironmentTests {
    private typealias Pair = TraceEnvironment.Pair

    @Test func nothingIsSentWhereNothingIsSaid() {
        let read = TraceEnvironment(["OTEL_EXPORTER_OTLP_ENDPOINT": "", "OTEL_SERVICE_NAME": ""])
        #expect(read.url == nil)
        #expect(read.resource.isEmpty && read.headers.isEmpty && read.warnings.isEmpty)
    }

    @Test func anAddressForTracesIsTakenAsItIs() {
        var variables = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://all:4318"]
        #expect(TraceEnvironment(variables).url == "http://all:4318")
        #expect(TraceEnvironment(variables).addsPath)
        variables["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = "http://traces:4318/own"
        #expect(TraceEnvironment(variables).url == "http://traces:4318/own")
        #expect(!TraceEnvironment(variables).addsPath)
    }

    @Test(
        arguments: [
            ("OTEL_SDK_DISABLED", "True", nil), ("OTEL_SDK_DISABLED", "false", "http://all:4318"),
            ("OTEL_TRACES_EXPORTER", "none", nil), ("OTEL_TRACES_EXPORTER", "zipkin, otlp", "http://all:4318"),
        ] as [(String, String, String?)])
    func itCanBeSwitchedOff(_ name: String, _ value: String, _ url: String?) {
        let read = TraceEnvironment(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://all:4318", name: value])
        #expect(read.url == url)
        #expect(read.warnings.isEmpty)
    }

    @Test func anotherProtocolIsNotSpokenAndTold() {
        var variables = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://all:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"]
        #expect(TraceEnvironment(variables).url == nil)
        #expect(TraceEnvironment(variables).warnings.count == 1)
        variables["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf"
        #expect(TraceEnvironment(variables).url == "http://all:4317")
        #expect(TraceEnvironment(variables).warnings.isEmpty)
    }

    @Test func headersAndAttributesAreDecoded() {
        let read = TraceEnvironment([
            "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Basic%20YTpi==, X-Scope = a ",
            "OTEL_RESOURCE_ATTRIBUTES": "team=security,service.name=other,note=a%2Cb",
            "OTEL_SERVICE_NAME": "policies", "OTEL_EXPORTER_OTLP_CERTIFICATE": "/ca.pem",
        ])
        #expect(read.headers == [Pair("Authorization", "Basic YTpi=="), Pair("X-Scope", "a")])
        #expect(read.resource == [Pair("team", "security"), Pair("note", "a,b"), Pair("service.name", "policies")])
        #expect(read.authorities == "/ca.pem")
    }

    @Test(arguments: ["Authorization", "a=b,=c", "a=%zz"])
    func aMistakeIsToldWithoutItsValue(_ text: String) {
        let read = TraceEnvironment(["OTEL_EXPORTER_OTLP_HEADERS": text])
        #expect(read.headers.isEmpty)
        #expect(read.warnings.count == 1)
        #expect(read.warnings.allSatisfy { !$0.contains(text) })
    }
}

@Suite struct TraceHeadersTests {
    @Test func eachLineIsAHeader() throws {
        let read = try readTraceHeaders(
            "# of the platform team\r\nAuthorization: Bearer a:b \n\n  X-Scope:c\n", file: "f")
        #expect(read == [DeliveryHeader("Authorization", "Bearer a:b"), DeliveryHeader("X-Scope", "c")])
        #expect("\(read)".contains("Bearer") == false, "a secret prints as nothing")
    }

    @Test func aMistakeNamesItsLineAndNothingOfIt() {
        #expect {
            try readTraceHeaders("A: b\ns3cret", file: "headers")
        } throws: { error in
            guard let failure = error as? CommandFailure else { return false }
            return failure.message == "headers, line 2: no header" && !failure.hint.contains("s3cret")
        }
    }
}
