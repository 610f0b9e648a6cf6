internal import Blocks
internal import ControlPlane
internal import FoundationEssentials
internal import RequestSigning

/// Snapshots that are written block by block.
extension DirectCall {
    private static let sizes = 1...65_536
    private static let tokenMax = 255
    private static let descriptionMax = 255
    private static let algorithm = "SHA256"

    // MARK: Start

    func start() async throws -> DirectAnswer {
        try verbs.snapshots.admit(.begin)
        let wanted = try request.document(StartedSnapshot.self)
        let plan = try Self.plan(wanted)
        do {
            return try .json(StartAnswer(try await verbs.snapshots.begin(plan), wanted), status: 201)
        } catch let error as ServiceError {
            throw Self.startFailure(error, wanted)
        }
    }

    private static func plan(_ wanted: StartedSnapshot) throws -> BeginSnapshot {
        guard let size = wanted.volumeSize, sizes.contains(size) else {
            throw DirectFailure.invalid(
                "INVALID_VOLUME_SIZE",
                "The volume size \(wanted.volumeSize.map { String($0) } ?? "") is not valid: it must be from "
                    + "\(sizes.lowerBound) to \(sizes.upperBound) GiB.")
        }
        var plan = BeginSnapshot(size: .gibibytes(size))
        if let parent = wanted.parentSnapshotId {
            guard wanted.kmsKeyArn == nil else {
                throw DirectFailure.badValue("ParentSnapshotId and KmsKeyArn cannot be specified together")
            }
            guard wanted.encrypted == nil else {
                throw DirectFailure.badValue("ParentSnapshotId and Encrypt cannot be specified together")
            }
            guard EC2Identifier.isForm(parent, prefix: "snap-") else {
                throw DirectFailure.invalid(
                    "INVALID_SNAPSHOT_ID", "The snapshot id '\(parent.prefix(64))' is not valid.")
            }
            plan.parent = parent
        } else if wanted.encrypted == true {
            plan.encryption = VolumeEncryption(key: wanted.kmsKeyArn)
        } else if wanted.kmsKeyArn != nil {
            throw DirectFailure.badValue("KmsKeyArn needs Encrypted to be true")
        }
        if let description = wanted.description {
            guard description.unicodeScalars.count <= descriptionMax else {
                throw DirectFailure.badValue("The description is longer than \(descriptionMax) characters.")
            }
            plan.description = description
        }
        plan.timeoutMinutes = wanted.timeout ?? plan.timeoutMinutes
        plan.tags = try tags(wanted.tags ?? [])
        if let token = wanted.clientToken {
            guard (1...tokenMax).contains(token.unicodeScalars.count), !token.contains(where: \.isWhitespace) else {
                throw DirectFailure.badValue("The client token must have 1 to \(tokenMax) characters and no spaces.")
            }
            plan.token = RequestToken(token, fingerprint: try wanted.fingerprint())
        }
        return plan
    }

    private static func tags(_ tags: [StartedSnapshot.Tag]) throws -> [String: String] {
        var byKey: [String: String] = [:]
        for tag in tags {
            let key = tag.key ?? ""
            guard !key.lowercased().hasPrefix("aws:") else {
                throw DirectFailure.invalid(
                    "INVALID_TAG", "Tag keys starting with 'aws:' are reserved for internal use.")
            }
            guard byKey.updateValue(tag.value ?? "", forKey: key) == nil else {
                throw DirectFailure.invalid("INVALID_TAG", "The tag key '\(key.prefix(128))' is given twice.")
            }
        }
        return byKey
    }

    private static func startFailure(_ error: ServiceError, _ wanted: StartedSnapshot) -> DirectFailure {
        var failure: DirectFailure =
            switch (error.code, error.noun) {
            case (.invalid, .volume): .invalid("INVALID_VOLUME_SIZE", error.message)
            case (.invalid, .tag), (.limitExceeded, .tag): .invalid("INVALID_TAG", error.message)
            case (.invalid, .store): .invalid("INVALID_CUSTOMER_KEY", error.message)
            case (.invalid, .token):
                DirectFailure(
                    "ConflictException", nil, "Current request does not match request stored with this token.",
                    status: 409)
            case (.limitExceeded, _):
                DirectFailure("ConcurrentLimitExceededException", nil, error.message, status: 400)
            case (.missing, .snapshot): .noSnapshot(wanted.parentSnapshotId ?? "")
            default: DirectFailure(from: error)
            }
        failure.logged = error.description
        return failure
    }

    // MARK: Put

    func put(_ text: String, of id: String) async throws -> DirectAnswer {
        try verbs.snapshots.admit(.write)
        try Self.check(id)
        guard let number = Int(text), number >= 0 else {
            throw DirectFailure.badValue("The block index '\(text.prefix(64))' is not valid.")
        }
        let length = try needed("x-amz-data-length")
        guard Int(length) == SnapshotPiece.size.bytes else {
            throw DirectFailure.invalid(
                "INVALID_BLOCK",
                "Block data length \(length.prefix(64)) is not valid, expected \(SnapshotPiece.size.bytes)")
        }
        let checksum = try needed("x-amz-checksum")
        try Self.check(algorithm: try needed("x-amz-checksum-algorithm"))
        if let progress = request.header("x-amz-progress") {
            guard let number = Int(progress), (0...100).contains(number) else {
                throw DirectFailure.badValue(
                    "The progress '\(progress.prefix(64))' is not valid: it must be from 0 to 100.")
            }
        }
        guard request.body.count <= SnapshotPiece.size.bytes else {
            throw DirectFailure.invalid(
                "INVALID_BLOCK",
                "Block data length \(request.body.count) is not valid, expected \(SnapshotPiece.size.bytes)")
        }
        guard let piece = NewPiece(request.body) else { throw DirectFailure.badValue("Failed to read block data") }
        let computed = BodyHash(hex: piece.hash)?.base64 ?? ""
        guard computed == checksum else {
            throw DirectFailure(
                "InvalidSignatureException", nil,
                "The value passed in as x-amz-Checksum does not match the computed checksum. Computed checksum: "
                    + "\(computed) expected checksum: \(checksum.prefix(64))", status: 403)
        }
        try await about(id) { try await verbs.snapshots.put(piece, at: number, of: id) }
        var answer = DirectAnswer(status: 201, body: Array("{}".utf8), type: "application/json")
        answer.headers = [("x-amz-Checksum", computed), ("x-amz-Checksum-Algorithm", Self.algorithm)]
        return answer
    }

    // MARK: Complete

    private struct Completed: Encodable {
        let status: String
    }

    func complete(_ id: String) async throws -> DirectAnswer {
        try verbs.snapshots.admit(.finish)
        try Self.check(id)
        let text = try needed("x-amz-changedblockscount")
        guard let count = Int(text), count >= 0 else {
            throw DirectFailure.badValue("The changed blocks count '\(text.prefix(64))' is not valid.")
        }
        let checksum = try aggregate()
        let view = try await about(id) {
            try await verbs.snapshots.finish(id, count: count, checksum: checksum)
        }
        return try .json(Completed(status: SnapshotWords.state(view)), status: 202)
    }

    /// The checksum of all blocks in hexadecimal digits, if one is given; one that cannot be such a checksum equals none.
    private func aggregate() throws -> String? {
        let checksum = request.header("x-amz-checksum"), algorithm = request.header("x-amz-checksum-algorithm")
        let method = request.header("x-amz-checksum-aggregation-method")
        if checksum == nil, algorithm == nil, method == nil { return nil }
        guard let checksum else { throw Self.missing("Snapshot checksum") }
        guard let algorithm else { throw Self.missing("Checksum algorithm") }
        guard let method else { throw Self.missing("Checksum aggregation method") }
        try Self.check(algorithm: algorithm)
        guard method == "LINEAR" else {
            throw DirectFailure.badValue(
                "Unsupported Checksum Aggregation Method '\(method.prefix(64))', supported methods are LINEAR")
        }
        return BodyHash(base64: checksum)?.hex ?? "none"
    }

    // MARK: Parameters

    private static func missing(_ what: String) -> DirectFailure {
        .badValue("Invalid parameter combination. \(what) is missing.")
    }

    private func needed(_ header: String) throws -> String {
        guard let value = request.header(header) else {
            throw DirectFailure.badValue("The header \(header) is missing.")
        }
        return value
    }

    private static func check(algorithm: String) throws {
        guard algorithm == Self.algorithm else {
            throw DirectFailure.badValue(
                "Unsupported Checksum Algorithm '\(algorithm.prefix(64))', supported algorithms are \(Self.algorithm)")
        }
    }

    private static func check(_ id: String) throws {
        guard EC2Identifier.isForm(id, prefix: "snap-") else {
            throw DirectFailure.invalid("INVALID_SNAPSHOT_ID", "The snapshot id '\(id.prefix(64))' is not valid.")
        }
    }

    /// What is not there, and what is another's or was not started here, is all the same.
    private func about<R>(_ id: String, _ body: () async throws -> R) async throws -> R {
        do { return try await body() } catch let error as ServiceError {
            switch (error.code, error.noun) {
            case (.missing, _), (.invalid, .snapshot): throw DirectFailure.noSnapshot(id)
            case (.invalid, .volume): throw DirectFailure.invalid("INVALID_BLOCK", error.message)
            default: throw error
            }
        }
    }
}
