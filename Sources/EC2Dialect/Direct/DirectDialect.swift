public import ControlPlane
internal import FoundationEssentials

/// Amazon's EBS direct APIs: snapshots read and written block by block over HTTP, no disk in between.
///
/// JSON in answers, blocks as they are. Call from any task.
public struct DirectDialect: Sendable {
    private let house: House
    private let clock: @Sendable () -> Int64

    /// - Parameter clock: seconds since 1970.
    public init(_ house: House, clock: @escaping @Sendable () -> Int64) {
        self.house = house
        self.clock = clock
    }

    /// Every operation.
    static let operations: [RESTOperation<DirectCall>] = [
        RESTOperation("StartSnapshot", "POST", "/snapshots") { call, _ in try await call.start() },
        RESTOperation("CompleteSnapshot", "POST", "/snapshots/completion/{snapshotId}") { call, named in
            try await call.complete(named[0])
        },
        RESTOperation("PutSnapshotBlock", "PUT", "/snapshots/{snapshotId}/blocks/{blockIndex}") { call, named in
            try await call.put(named[1], of: named[0])
        },
        RESTOperation("ListSnapshotBlocks", "GET", "/snapshots/{snapshotId}/blocks") { call, named in
            try await call.list(named[0])
        },
        RESTOperation("ListChangedBlocks", "GET", "/snapshots/{secondSnapshotId}/changedblocks") { call, named in
            try await call.listChanges(named[0])
        },
        RESTOperation("GetSnapshotBlock", "GET", "/snapshots/{snapshotId}/blocks/{blockIndex}") { call, named in
            try await call.block(named[1], of: named[0])
        },
    ]

    /// Does what the request asks, in the name of `caller`. Never throws: a refusal is an answer too.
    ///
    /// - Parameter region: the one that the request is signed for; nil: the first.
    public func answer(
        _ request: DirectRequest, for caller: Caller, in region: String? = nil
    ) async -> DirectAnswer {
        await house.recording(at: "ebs", for: caller, in: region) { await reply(to: request, for: caller, in: region) }
    }

    private func reply(to request: DirectRequest, for caller: Caller, in region: String?) async -> DirectAnswer {
        guard let verbs = house.verbs(for: caller, in: region) else { return refusal(.unknownSigner) }
        do {
            let parts = request.path.split(separator: "/").map(String.init)
            guard let found = RESTOperation.find(in: Self.operations, request.method, parts) else {
                throw DirectFailure.unknown(request)
            }
            // A block is no event of its own, as a write to a disk is none.
            Deed.name(found.operation.name, isChange: request.method == "POST")
            let call = DirectCall(
                verbs: verbs, caller: caller, request: request, query: try Query(request.query),
                now: clock())
            return try await found.operation.run(call, found.named)
        } catch let failure as DirectFailure {
            return failure.answer
        } catch {
            return DirectFailure(from: error).answer
        }
    }

    /// For requests that are refused before anyone knows what they ask.
    public func refusal(_ reason: RefusedRequest) -> DirectAnswer { DirectFailure(reason).answer }
}

/// What goes back.
public struct DirectAnswer: Sendable, Equatable {
    /// The HTTP status.
    public var status: Int
    /// JSON, or a block.
    public var body: [UInt8]
    /// Of the body.
    public var type: String
    /// Besides.
    public var headers: [(name: String, value: String)] = []
    /// For the log alone.
    public var logged: String?

    /// Same answer, whatever is logged?
    public static func == (a: DirectAnswer, b: DirectAnswer) -> Bool {
        a.status == b.status && a.body == b.body && a.type == b.type
            && a.headers.map(\.name) == b.headers.map(\.name) && a.headers.map(\.value) == b.headers.map(\.value)
    }

    static func json(_ value: some Encodable, status: Int = 200) throws -> DirectAnswer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Amazon's names begin with a capital.
        encoder.keyEncodingStrategy = .custom { path in Name(path.last?.stringValue ?? "") }
        return DirectAnswer(status: status, body: Array(try encoder.encode(value)), type: "application/json")
    }
}

/// A key's name with a capital at its front.
private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name.prefix(1).uppercased() + name.dropFirst() }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

/// The parameters after the question mark, by name; the first of two counts.
struct Query: Sendable {
    private let parameters: RequestParameters

    init(_ text: String) throws {
        do throws(EC2Failure) { parameters = try RequestParameters([text]) } catch {
            throw DirectFailure.invalid("INVALID_PARAMETER_VALUE", error.message)
        }
    }

    subscript(_ name: String) -> String? { parameters[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// A whole number, zero or more.
    func number(_ name: String) throws -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw DirectFailure.invalid("INVALID_PARAMETER_VALUE", "The value '\(text)' of \(name) is not valid.")
        }
        return number
    }
}
