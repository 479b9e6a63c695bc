import ChildProcess

/// Certificates of authorities of its own, made by `openssl` as an administrator would.
package final class Certificates: Sendable {
    package let folder: ScratchDirectory

    package struct Failure: Error, CustomStringConvertible { package var description: String }

    /// Makes `authority` and `other`, the certificate `server` of the first for 127.0.0.1, and of clients: `client`
    /// (CN api-server), `unlimited` (without purposes), `impostor` (the same name, of `other`), `expired`, `future`,
    /// `serverOnly` (for servers alone), `twoNames` and `nameless`.
    package init() async throws {
        folder = try ScratchDirectory(named: "bylaw-certificates")
        let script = """
            set -e
            mkdir made && : > index && echo 01 > serial
            printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index\\nserial=serial\\nnew_certs_dir=made\\ndefault_md=sha256\\npolicy=p\\nunique_subject=no\\n[p]\\ncommonName=optional\\norganizationName=optional\\n' > ca.conf
            key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
            for name in authority other; do
                openssl req -x509 $key -days 2 -subj "/CN=$name" -keyout $name.key -out $name.crt
            done
            certificate() { # FILE AUTHORITY SUBJECT EXTENSION [START END]
                openssl req $key -subj "$3" -keyout $1.key -out $1.csr
                printf '%s\\n' "$4" > $1.ext
                openssl ca -batch -notext -config ca.conf -cert $2.crt -keyfile $2.key -in $1.csr -out $1.crt \\
                    -extfile $1.ext -preserveDN -startdate ${5:-20200101000000Z} -enddate ${6:-21000101000000Z}
            }
            certificate server authority /CN=bylaw subjectAltName=IP:127.0.0.1
            certificate client authority /CN=api-server extendedKeyUsage=clientAuth
            certificate unlimited authority /CN=api-server basicConstraints=CA:FALSE
            certificate impostor other /CN=api-server extendedKeyUsage=clientAuth
            certificate expired authority /CN=api-server extendedKeyUsage=clientAuth 20200101000000Z 20210101000000Z
            certificate future authority /CN=api-server extendedKeyUsage=clientAuth 20990101000000Z 21000101000000Z
            certificate serverOnly authority /CN=api-server extendedKeyUsage=serverAuth
            certificate twoNames authority /CN=api-server/CN=mallory extendedKeyUsage=clientAuth
            certificate nameless authority /O=api-server extendedKeyUsage=clientAuth
            """
        let result = try await runChildProcess(
            "sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin"], directory: folder.path,
            maximumOutputBytes: 1 << 20, deadline: .seconds(60))
        guard result.ending == .exited(0) else { throw Failure(description: "openssl: \(result.errorText)") }
    }

    /// The path of a file, such as `client.crt` or `client.key`.
    package func path(_ name: String) -> String { folder.path + "/" + name }
}
