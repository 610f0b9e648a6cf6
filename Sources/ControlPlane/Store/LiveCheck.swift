internal import Blocks
internal import Catalog
internal import Repository
internal import VolumeEngine

/// Compares snapshots with the volumes that count their changes from them.
///
/// 1. Ask every open volume which snapshots it counts from.
/// 2. Compare each such snapshot that is in the store with its volume. Guests go on meanwhile.
/// 3. Where they differ, make the volume's next snapshot full, so that what was not recorded as changed gets no further.
///    That waits for its lane: no cut begins between the finding and this.
struct LiveCheck: Sendable {
    let house: Household

    private struct Pair: Sendable {
        var id: String
        var volume: Volume
        var snapshot: String
    }
    private enum Outcome: Sendable {
        case compared(ComparisonReport)
        case unreadable(BlockFailure)
        /// Still on its way, deleted, or so damaged or without its key that the checks before this one said it.
        case notStored
    }

    /// Compares one snapshot, or all that a volume counts from, and adds what it finds to `report`.
    ///
    /// - Parameter account: only with its volumes; nil: with all.
    func run(_ snapshot: String?, of account: String?, into report: inout VerifyReport) async throws {
        var compared = Set<String>()
        var (comparedBytes, skippedBytes) = (ByteCount.zero, ByteCount.zero)
        for pair in try await pairs(snapshot, account) {
            switch try await compare(pair) {
            case .notStored: continue
            case .unreadable(let failure):
                compared.insert(pair.snapshot)
                report.add([
                    "the volume \(pair.id) could not be compared with the snapshot \(pair.snapshot): reading it failed: "
                        + ServiceError.from(failure, .volume).message
                ])
            case .compared(let found):
                compared.insert(pair.snapshot)
                comparedBytes += found.compared
                skippedBytes += found.skipped
                if found.findings.isEmpty { continue }
                let consequence = await makeNextFull(pair)
                report.add(found.findings.map { Self.sentence($0, consequence) })
            }
        }
        report.comparedSnapshotCount = compared.count
        report.comparedBytes = comparedBytes.bytes
        report.skippedBytes = skippedBytes.bytes
    }

    private func pairs(_ wanted: String?, _ account: String?) async throws -> [Pair] {
        let owned = try await house.catalog.change { session in
            Set(try account.map { try session.volumes(of: $0) }?.map(\.id) ?? [])
        }
        return try await house.local.run { [live = house.live] in
            live.allOpen.filter { account == nil || owned.contains($0.id) }.sorted { $0.id < $1.id }.flatMap {
                id, volume in
                volume.countedSnapshots.filter { wanted == nil || $0 == wanted }
                    .map { Pair(id: id, volume: volume, snapshot: $0) }
            }
        }
    }

    private func compare(_ pair: Pair) async throws -> Outcome {
        try await house.remote.run { [house] in
            let content = VolumeContent(pair.id, pair.volume, since: pair.snapshot)
            do {
                let repository = try house.door.repository()
                return .compared(try repository.compare(StoreDoor.id(pair.snapshot), with: content))
            } catch RepositoryFailure.missing, RepositoryFailure.corrupt, RepositoryFailure.keyMissing {
                return .notStored
            } catch RepositoryFailure.content(let failure) {
                return .unreadable(failure)
            }
        }
    }

    /// - Returns: what can be said of the volume's next snapshot.
    private func makeNextFull(_ pair: Pair) async -> String {
        do {
            try await house.lanes.run(pair.id) {
                try await house.local.run { try pair.volume.makeNextFull() }
            }
            house.announce(pair.id)
            return "the volume's next snapshot will be full"
        } catch {
            return
                "the volume's next snapshot could not be made full yet (\(ServiceError.from(error, .volume).message)), "
                + "so verify again when its pending snapshots are done"
        }
    }

    private static func sentence(_ finding: Finding, _ consequence: String) -> String {
        var text = "\(finding.object)"
        if let snapshot = finding.snapshot { text += ", compared with \(snapshot)" }
        if let blocks = finding.blocks {
            text += ", in \(blocks.count.count) blocks from block \(blocks.start.number)"
            text += " (bytes \(blocks.bytes.start.bytes) to \(blocks.bytes.end.bytes))"
        }
        return text + ": \(finding.problem); restore from the snapshot if that is right; \(consequence)"
    }
}
