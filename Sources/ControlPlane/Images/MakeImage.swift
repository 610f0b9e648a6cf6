internal import Blocks
internal import Catalog
internal import FoundationEssentials

/// Brings an image that was recorded as pending to its end.
///
/// Of an instance:
/// 1. Record the image with its disks in the transaction that records their snapshots, before anything is cut.
/// 2. Cut all of them at one instant (``TakeSnapshot``).     Undo: remove the image with the snapshots.
/// 3. When all are stored, record it as `available`.         A crash repeats 3.
///
/// A copy:
/// 1. Record the image with the snapshots that are to be copied.
/// 2. Copy each; the transaction that records the copy writes it down as the disk's.
///                                                           A crash repeats 2 for the disks that have none.
/// 3. As above.
///
/// A snapshot that fails makes the image fail; it stays as such until its owner deregisters it. While an image is pending its
/// snapshots cannot be deleted, so one that is not there was never cut: a crash came before anybody was told, and the image goes,
/// too.
struct MakeImage: Sendable {
    let house: Household

    /// Takes up, or goes on with, what is recorded.
    func run(_ task: TaskRecord) async {
        _ = await house.runner.start(task) { try await attempt(task) }
    }

    private func attempt(_ task: TaskRecord) async throws -> Attempt {
        let id = task.subjectID
        let (image, disks) = try await house.catalog.change { (try $0.image(id), try $0.disks(ofImage: id)) }
        guard let image, image.state != .deregistered else {
            return .failed("the image was deregistered before it was available")
        }
        guard image.state == .pending else { return .done }
        if image.sourceImage != nil, let reason = try await beginCopies(of: image, disks, task) {
            return try await fail(id, reason)
        }
        return try await settle(id)
    }

    // MARK: Copies

    /// - Returns: why it can never be made, or nil.
    private func beginCopies(
        of image: ImageRecord, _ disks: [ImageDiskRecord], _ task: TaskRecord
    ) async throws -> String? {
        let said = try ImageSnapshots(text: task.argument ?? "")
        let region = image.sourceRegion ?? house.region.name
        guard house.neighbours[region] != nil else { return "there is no region \(region) here any more" }
        for disk in disks where disk.snapshotID == nil {
            guard let origin = disk.sourceSnapshot else { continue }
            var request = CopySnapshot(
                origin, from: region,
                description: said.description(for: image.id, copying: origin))
            request.tags = said.tags
            request.encryption = image.isEncryptedCopy ? VolumeEncryption(key: image.sourceKey) : nil
            request.recording = { session, copy in
                // Deregistered meanwhile: then nothing more is copied for it.
                guard try session.image(image.id)?.state == .pending else { throw Household.noImage(image.id) }
                try session.set(snapshot: copy.id, ofImage: image.id, device: disk.device)
            }
            do {
                let caller = Caller(account: image.account, principal: "image", role: .operator)
                _ = try await SnapshotService(house, caller).copy(request)
                Failpoint.hit("image.copied")
            } catch let error as ServiceError {
                switch error.code {
                case .missing, .wrongState, .invalid, .forbidden, .unsupported: return error.message
                case .locked, .inUse, .limitExceeded, .noSpace, .unavailable, .corrupt, .internalFault: throw error
                }
            }
        }
        return nil
    }

    // MARK: Ending

    private enum Verdict { case wait(String), available, lost, failed(String), over }

    /// Step 3, where nobody comes between.
    private func settle(_ id: String) async throws -> Attempt {
        let now = house.clock.now()
        let verdict = try await house.catalog.change { session -> Verdict in
            guard var image = try session.image(id), image.state == .pending else { return .over }
            let verdict = try Self.verdict(of: image, session)
            switch verdict {
            case .available:
                image.state = .available
                image.changedAt = now
                try session.update(image)
            case .lost:
                try session.deleteImage(id)
                // The run of a policy that it was for makes another.
                try session.deletePolicyImage(id)
                try session.deleteTokens(of: id)
            case .wait, .failed, .over: break
            }
            return verdict
        }
        switch verdict {
        case .wait(let reason): return .wait(reason)
        case .lost: return .failed("the server stopped before it was done; nothing was changed")
        case .failed(let reason): return try await fail(id, reason)
        case .available, .over:
            Failpoint.hit("image.available")
            house.announce(id)
            await lookAtPolicy(of: id)
            return .done
        }
    }

    private static func verdict(of image: ImageRecord, _ session: CatalogSession) throws -> Verdict {
        for snapshot in try session.disks(ofImage: image.id).compactMap(\.snapshotID) {
            guard let record = try session.snapshot(snapshot), record.isPresent else {
                return image.sourceImage == nil ? .lost : .failed("the snapshot \(snapshot) was deleted")
            }
            switch record.state {
            case .completed: continue
            case .creating, .pending: return .wait("the snapshot \(snapshot) is being stored")
            case .error: return .failed("the snapshot \(snapshot) failed: \(record.reason ?? "unknown reason")")
            }
        }
        return .available
    }

    private func fail(_ id: String, _ reason: String) async throws -> Attempt {
        let now = house.clock.now()
        try await house.catalog.change { session in
            guard var image = try session.image(id), image.state == .pending else { return }
            image.state = .failed
            image.reason = reason
            image.changedAt = now
            try session.update(image)
        }
        house.announce(id)
        await lookAtPolicy(of: id)
        return .failed(reason)
    }

    /// A copy's policy is another region's. What cannot be asked now is looked at when the next one is available.
    private func lookAtPolicy(of id: String) async {
        guard let policy = try? await house.catalog.change({ try $0.policyImage(id)?.policyID }) else { return }
        for house in house.neighbours.all { house.scheduler.look(at: policy) }
    }
}

/// What is said of the snapshots that are made for an image; of a copy its task keeps it.
struct ImageSnapshots: Codable {
    var tags: [String: String]
    private var description: String

    init(_ names: ImageNames) {
        tags = names.snapshotTags
        description = names.snapshotDescription
    }

    init(text: String) throws { self = try JSONDecoder().decode(ImageSnapshots.self, from: Data(text.utf8)) }

    func text() throws -> String { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }

    func description(for image: String, copying origin: String?) -> String {
        description.replacing("{image}", with: image).replacing("{snapshot}", with: origin ?? "")
    }
}
