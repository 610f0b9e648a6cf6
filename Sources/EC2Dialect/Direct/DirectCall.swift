internal import Blocks
internal import ControlPlane
internal import RequestSigning

/// One request to the EBS direct APIs.
struct DirectCall: Sendable {
    let verbs: Verbs
    let caller: Caller
    let request: DirectRequest
    let query: Query
    /// Seconds since 1970.
    let now: Int64

    /// A token of a block holds for a week, one of a page for an hour.
    private static let blockLife: Int64 = 7 * 86_400
    private static let pageLife: Int64 = 3600
    private static let resultsRange = 100...10_000

    // MARK: Lists

    private struct Block: Encodable {
        let blockIndex: Int
        let blockToken: String
    }
    private struct BlockList: Encodable {
        let blocks: [Block]
        let expiryTime: Double
        let volumeSize: Int
        let blockSize: Int
        let nextToken: String?
    }

    func list(_ id: String) async throws -> DirectAnswer {
        try verbs.snapshots.admit(.list)
        let snapshot = try await snapshot(id)
        let limit = try limit()
        let start = try start(of: "blocks/\(id)")
        let found = try await verbs.snapshots.pieces(of: id, from: start, limit: limit)
        let isPastEnd = start >= VolumeWords.gibibytes(snapshot.volumeSizeBytes) * 2048
        return try .json(
            BlockList(
                blocks: found.numbers.map { Block(blockIndex: $0, blockToken: token(of: $0, in: id)) },
                expiryTime: Double(isPastEnd ? now : now + Self.blockLife),
                volumeSize: VolumeWords.gibibytes(snapshot.volumeSizeBytes), blockSize: SnapshotPiece.size.bytes,
                nextToken: found.next.map { pageToken($0, of: "blocks/\(id)") }))
    }

    private struct ChangedBlock: Encodable {
        let blockIndex: Int
        let firstBlockToken: String?
        let secondBlockToken: String?
    }
    private struct ChangedList: Encodable {
        let changedBlocks: [ChangedBlock]
        let expiryTime: Double
        let volumeSize: Int
        let blockSize: Int
        let nextToken: String?
    }

    func listChanges(_ second: String) async throws -> DirectAnswer {
        try verbs.snapshots.admit(.listChanges)
        guard let first = query["firstSnapshotId"] else {
            throw DirectFailure.invalid("INVALID_SNAPSHOT_ID", "First snapshot should not be empty or null")
        }
        _ = try await snapshot(first)
        let newer = try await snapshot(second)
        let limit = try limit()
        let list = "changed/\(first)/\(second)"
        let start = try start(of: list)
        let found: ChangedPieces
        do {
            found = try await verbs.snapshots.changedPieces(from: first, to: second, at: start, limit: limit)
        } catch let error as ServiceError {
            guard error.code == .invalid else { throw error }
            throw DirectFailure.invalid("UNRELATED_SNAPSHOTS", "The snapshots are not related.")
        }
        return try .json(
            ChangedList(
                changedBlocks: found.pieces.map { piece in
                    ChangedBlock(
                        blockIndex: piece.number,
                        firstBlockToken: piece.isInFirst ? token(of: piece.number, in: first) : nil,
                        secondBlockToken: piece.isInSecond ? token(of: piece.number, in: second) : nil)
                },
                expiryTime: Double(now + Self.blockLife), volumeSize: VolumeWords.gibibytes(newer.volumeSizeBytes),
                blockSize: SnapshotPiece.size.bytes, nextToken: found.next.map { pageToken($0, of: list) }))
    }

    // MARK: Blocks

    func block(_ text: String, of id: String) async throws -> DirectAnswer {
        try verbs.snapshots.admit(.read)
        _ = try await snapshot(id)
        guard let number = Int(text), number >= 0 else {
            throw DirectFailure.invalid("INVALID_PARAMETER_VALUE", "The block index '\(text)' is not valid.")
        }
        guard let given = query["blockToken"] else {
            throw DirectFailure.invalid("INVALID_BLOCK_TOKEN", "The block token is missing.")
        }
        guard isGood(given, for: "block/\(id)/\(number)") else {
            throw DirectFailure.invalid("INVALID_BLOCK_TOKEN", "The block token \(given.prefix(256)) is invalid.")
        }
        let bytes = try await verbs.snapshots.piece(number, of: id)
        var answer = DirectAnswer(status: 200, body: bytes, type: "application/octet-stream")
        answer.headers = [
            ("x-amz-Data-Length", String(bytes.count)), ("x-amz-Checksum", BodyHash(of: bytes).base64),
            ("x-amz-Checksum-Algorithm", "SHA256"),
        ]
        return answer
    }

    // MARK: Parameters

    /// A completed snapshot that may be read: the caller's own, or one that is shared with them by name.
    private func snapshot(_ id: String) async throws -> SnapshotView {
        guard EC2Identifier.isForm(id, prefix: "snap-") else {
            throw DirectFailure.invalid("INVALID_SNAPSHOT_ID", "The snapshot id '\(id)' is not valid.")
        }
        let view: SnapshotView
        do { view = try await verbs.snapshots.find(id) } catch let error as ServiceError {
            guard error.code == .missing || error.code == .invalid else { throw error }
            throw DirectFailure.noSnapshot(id)
        }
        if view.ownerId != caller.account, view.sharing?.accounts.contains(caller.account) != true {
            throw DirectFailure.invalid("INVALID_SNAPSHOT_ID", "Public snapshots are not supported")
        }
        guard view.state == .completed else { throw DirectFailure.noSnapshot(id) }
        return view
    }

    private func limit() throws -> Int {
        guard let wanted = try query.number("maxResults") else { return Self.resultsRange.upperBound }
        guard Self.resultsRange.contains(wanted) else {
            let (bound, word) =
                wanted < Self.resultsRange.lowerBound
                ? (Self.resultsRange.lowerBound, "greater") : (Self.resultsRange.upperBound, "less")
            throw DirectFailure.invalid(
                "INVALID_PARAMETER_VALUE",
                "1 validation error detected: Value '\(wanted)' at 'maxResults' failed to satisfy constraint: Member must have "
                    + "value \(word) than or equal to \(bound)")
        }
        return wanted
    }

    private func start(of list: String) throws -> Int {
        guard let token = query["pageToken"] else { return try query.number("startingBlockIndex") ?? 0 }
        guard let text = verbs.snapshots.unsealed(token, for: "page/\(caller.account)/\(list)") else {
            throw DirectFailure.invalid("INVALID_PAGE_TOKEN", "The pagination token \(token.prefix(256)) is invalid.")
        }
        let parts = text.split(separator: " ")
        guard parts.count == 2, let until = Int64(parts[0]), until > now, let start = Int(parts[1]) else {
            throw DirectFailure.invalid("INVALID_PAGE_TOKEN", "The pagination token \(token.prefix(256)) is invalid.")
        }
        return start
    }

    private func pageToken(_ start: Int, of list: String) -> String {
        verbs.snapshots.sealed("\(now + Self.pageLife) \(start)", for: "page/\(caller.account)/\(list)")
    }

    private func token(of number: Int, in snapshot: String) -> String {
        verbs.snapshots.sealed("\(now + Self.blockLife)", for: "block/\(snapshot)/\(number)")
    }

    private func isGood(_ token: String, for purpose: String) -> Bool {
        guard let until = verbs.snapshots.unsealed(token, for: purpose).flatMap({ Int64($0) }) else { return false }
        return until > now
    }
}
