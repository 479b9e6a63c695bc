import HTTPClient
import Testing

@Suite struct RedactedURLTests {
    @Test(arguments: [
        ("https://api.test:6443/apis/x", "https://api.test:6443/apis/x"),
        ("https://user@api.test/x", "https://api.test/x"),
        ("https://user:pass@api.test/x", "https://api.test/x"),
        ("https://user:p@ss@api.test/x", "https://api.test/x"),
        ("https://api.test/x?token=secret", "https://api.test/x"),
        ("https://api.test/x#secret", "https://api.test/x"),
        ("https://user:pass?word@api.test/x", "https://(redacted)"),
        ("https://user:pass/word@api.test/x", "https://(redacted)"),
        ("https://[fd00::1]:6443/x", "https://[fd00::1]:6443/x"),
        ("https://[fd00::1]/x", "https://[fd00::1]/x"),
        ("https://api.test/@scope", "https://api.test/@scope"),
        ("user:pass@api.test", "(redacted)"),
        ("plain", "plain"),
        ("", ""),
    ])
    func hidesWhatMayBeSecret(_ url: String, _ shown: String) {
        #expect(redactedURL(url) == shown)
    }
}
