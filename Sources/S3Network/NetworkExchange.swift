internal import AsyncHTTPClient
internal import Blocks
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import RequestSigning
public import S3

/// Carries S3's requests over TCP and TLS, HTTP/1.1, connections kept and shared.
///
/// Calls block the calling thread while event loops do the work; call from an ``OSThread``. The bodies of a request and its
/// answer are in memory twice while they travel.
public final class NetworkExchange: HTTPExchange {
    private let http: HTTPClient

    /// Connects to nothing yet.
    ///
    /// - Parameters:
    ///   - authorities: a file of PEM certificates to trust beside the system's, or nil.
    ///   - silenceMax: the longest silence on a connection.
    /// - Throws: ``UnreadableAuthorities`` if the file is not there or holds no certificate.
    public init(authorities: String?, silenceMax: Duration) throws(UnreadableAuthorities) {
        var plan = HTTPClient.Configuration()
        let silence = TimeAmount(silenceMax)
        plan.timeout = .init(connect: min(silence, .seconds(10)), read: silence, write: silence)
        plan.redirectConfiguration = .disallow
        plan.httpVersion = .http1Only
        plan.connectionPool.retryConnectionEstablishment = false
        plan.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        if let authorities {
            var tls = TLSConfiguration.makeClientConfiguration()
            do {
                let certificates = try NIOSSLCertificate.fromPEMFile(authorities)
                guard !certificates.isEmpty else { throw UnreadableAuthorities(path: authorities) }
                tls.additionalTrustRoots = [.certificates(certificates)]
            } catch { throw UnreadableAuthorities(path: authorities) }
            plan.tlsConfiguration = tls
        }
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: plan)
    }

    deinit { try? http.syncShutdown() }

    /// See ``HTTPExchange``.
    public func send(_ request: HTTPRequest) throws(ExchangeFailure) -> HTTPAnswer {
        do {
            var headers = HTTPHeaders()
            for header in request.headers { headers.add(name: header.name, value: header.value) }
            let whole = try HTTPClient.Request(
                url: request.server + request.target, method: HTTPMethod(rawValue: request.method), headers: headers,
                body: request.body.isEmpty ? nil : .byteBuffer(ByteBuffer(bytes: request.body)))
            let answer = try http.execute(
                request: whole, delegate: ResponseAccumulator(request: whole, maxBodySize: request.answerMax),
                deadline: .now() + TimeAmount(request.timeMax)
            ).wait()
            return HTTPAnswer(
                status: Int(answer.status.code),
                headers: answer.headers.map { SignableRequest.Header($0.name, $0.value) },
                body: answer.body.map { Array($0.readableBytesView) } ?? [])
        } catch { throw Self.failure(error) }
    }

    private static func failure(_ error: any Error) -> ExchangeFailure {
        switch error {
        case is ResponseAccumulator.ResponseTooBigError: .tooLong
        case let error as HTTPClientError: failure(client: error)
        case let error as NIOConnectionError:
            error.connectionErrors.isEmpty ? .unknownHost : .refused
        case is NIOSSLError, is BoringSSLError: .insecure(words(for: "\(error)"))
        case is NIOSSLExtraError: .insecure("the certificate is not for this name")
        case let error as IOError where error.errnoCode == 111: .refused  // ECONNREFUSED
        default: .lost("\(error)")
        }
    }

    /// The library's errors are for programmers; these are the two that people meet.
    private static func words(for error: String) -> String {
        if error.contains("CERTIFICATE_VERIFY_FAILED") { return "its certificate is not trusted" }
        if error.contains("WRONG_VERSION_NUMBER") { return "it does not speak TLS there" }
        return "the handshake failed"
    }

    private static func failure(client error: HTTPClientError) -> ExchangeFailure {
        switch error {
        case .connectTimeout, .readTimeout, .writeTimeout, .deadlineExceeded, .tlsHandshakeTimeout,
            .getConnectionFromPoolTimeout:
            .timedOut
        case .remoteConnectionClosed: .lost("the server closed it before the answer was complete")
        default: .lost("\(error)")
        }
    }
}

/// A file of certificates that cannot be used.
public struct UnreadableAuthorities: Error, CustomStringConvertible {
    let path: String
    /// One plain sentence.
    public var description: String {
        "\(path) holds no PEM certificates that can be read: correct ca= in the store's URL"
    }
}
