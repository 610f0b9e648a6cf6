internal import AsyncHTTPClient
internal import Blocks
internal import Console
internal import ControlPlane
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import RequestSigning

/// Speaks the native API: signs, sends, reads, and turns refusals into ``CommandFailure``.
struct NativeClient: Sendable {
    private let http: HTTPClient
    private let address: String
    private let host: String
    private let signer: SigV4Signer
    private let clock = SystemClock()
    /// The region that is asked; nil: the server's first.
    private let region: String?
    /// For how long an answer is waited for; nil: as long as it takes.
    private var patience: TimeAmount?

    /// How large an answer may be: a diff of a large disk is the largest.
    private static let answerMax = 1 << 30

    private init(http: HTTPClient, address: String, key: SigningKey, region: String?) throws {
        self.region = try region.map(Segment.of)
        self.http = http
        self.address = address
        host = String(address.dropFirst("http://".count))
        signer = SigV4Signer(key: key, region: "local", service: "varve")
    }

    /// Opens a client for the server that `options` name, and closes it after `body`.
    ///
    /// - Parameter region: the one to ask, if not the one that `options` say.
    static func with<R>(
        _ options: ServerOptions, in region: String? = nil, _ body: (NativeClient) async throws -> R
    ) async throws -> R {
        let address = try options.address(), key = try options.key()
        var plan = HTTPClient.Configuration()
        plan.timeout.connect = .seconds(5)
        plan.connectionPool.retryConnectionEstablishment = false
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: plan)
        do {
            let result = try await body(
                NativeClient(http: http, address: address, key: key, region: region ?? options.wantedRegion))
            try? await http.shutdown()
            return result
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    /// The same, of one that waits for an answer for so many seconds, at most, and then takes the server for unreachable.
    func waiting(_ seconds: Int) -> NativeClient {
        var client = self
        client.patience = .seconds(Int64(seconds))
        return client
    }

    /// Sends a request and returns the body of its answer.
    func send(_ method: String, _ path: String, body: [UInt8] = [], type: String? = nil) async throws -> [UInt8] {
        var target = "/api/v1" + path
        if let region { target += (path.contains("?") ? "&" : "?") + "region=\(region)" }
        var request = HTTPClientRequest(url: address + target)
        request.method = HTTPMethod(rawValue: method)
        var headers = [SignableRequest.Header("host", host)]
        if let type { headers.append(.init("content-type", type)) }
        let signable = SignableRequest(
            method: method, target: target, headers: headers, bodyHash: BodyHash(of: body))
        headers += signer.headers(signing: signable, at: clock.now())
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        if !body.isEmpty { request.body = .bytes(ByteBuffer(bytes: body)) }

        let answer: HTTPClientResponse
        let bytes: ByteBuffer
        do {
            answer = try await http.execute(request, deadline: patience.map { .now() + $0 } ?? .distantFuture)
            bytes = try await answer.body.collect(upTo: Self.answerMax)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw CommandFailure.unreachable("cannot reach the server at \(address): \(Self.text(of: error))")
        }
        let content = Array(bytes.readableBytesView)
        guard (200..<300).contains(Int(answer.status.code)) else {
            throw CommandFailure.refused(
                Self.message(of: content, status: Int(answer.status.code)),
                mayPass: [.serviceUnavailable, .tooManyRequests].contains(answer.status))
        }
        return content
    }

    private static func message(of content: [UInt8], status: Int) -> String {
        if let refusal = try? JSONDecoder().decode(NativeRefusal.self, from: Data(content)) {
            return refusal.error.message
        }
        return "the server answered \(status), and not as a Varve server would"
    }

    private static func text(of error: any Error) -> String {
        let text = "\(error)"
        if text.contains("refused") || text.contains("errno: 111") { return "nothing listens there" }
        if text.contains("connectTimeout") { return "it does not answer" }
        return text
    }
}

extension NativeClient {
    /// Sends JSON and reads JSON.
    func call<Answer: Decodable>(
        _ method: String, _ path: String, _ fields: [String: Field] = [:], as: Answer.Type = Answer.self
    ) async throws -> Answer {
        try Self.read(try await callRaw(method, path, fields))
    }

    /// Sends JSON and returns the answer's bytes.
    func callRaw(_ method: String, _ path: String, _ fields: [String: Field] = [:]) async throws -> [UInt8] {
        guard !fields.isEmpty else { return try await send(method, path) }
        let body = Array(try JSONEncoder().encode(fields))
        return try await send(method, path, body: body, type: "application/json")
    }

    /// Reads an answer.
    static func read<Answer: Decodable>(_ bytes: [UInt8]) throws -> Answer {
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(bytes))
        } catch {
            throw CommandFailure.refused("the server's answer cannot be read; is it of another version? (\(error))")
        }
    }

    /// A value in a request's JSON.
    enum Field: Encodable, Sendable {
        case text(String?)
        case number(Int)
        case texts([String])
        case flag(Bool)
        case value(any Encodable & Sendable)

        func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .text(let text): try value.encode(text)
            case .number(let number): try value.encode(number)
            case .texts(let texts): try value.encode(texts)
            case .flag(let flag): try value.encode(flag)
            case .value(let document): try value.encode(document)
            }
        }
    }
}

/// An id as a path's segment; what could not be one is refused here, because it would name another path.
enum Segment {
    static func of(_ id: String) throws -> String {
        let isPlain = id.utf8.allSatisfy { byte in
            (byte >= 48 && byte <= 57) || (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte == 45
        }
        guard isPlain, !id.isEmpty, id.utf8.count <= 64 else {
            throw CommandFailure.refused("'\(id)' is not an id; ids look like vol-0123456789abcdef0")
        }
        return id
    }
}
