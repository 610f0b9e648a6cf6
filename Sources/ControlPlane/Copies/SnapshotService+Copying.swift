internal import Blocks
internal import Catalog
internal import Repository

extension SnapshotService {
    /// Copies a snapshot into this region; the copying goes on afterwards. Of the source's tags, sharing and description
    /// nothing is copied. At most 20 copies of an account are under way at once.
    public func copy(_ request: CopySnapshot) async throws -> SnapshotView {
        try await ServiceError.about(.snapshot) {
            try caller.mayChange(.snapshot)
            try Limits.check(name: request.name, .snapshot)
            try Limits.check(description: request.description, .snapshot)
            try TagRules.check(request.tags)
            try TagRules.check(count: request.tags.count, of: "the snapshot")
            try ResourceGroupService.check(request.resourceGroup)
            try request.release?.check(madeAt: house.clock.now(), at: house.clock.now())
            let source = request.region ?? house.region.name
            guard let from = house.neighbours[source] else { throw Household.noRegion(source, house.neighbours) }
            var request = request
            request.encryption = try await house.encryption(of: request, from: from, for: caller)
            if let key = request.encryption?.key { try await house.mustHold(key) }
            if request.needsSource { try await checkSource(request.snapshot, in: from) }
            // That its owner is told at once in any case; to others one in the archive is none.
            let present = try? await from.usableSnapshot(request.snapshot, for: caller)
            try present?.mustNotBeArchived(at: from.clock.now())
            do {
                let made = try await CopySnapshotTask(house: house).begin(request, from: source, for: caller.account)
                if request.release != nil { house.releases.lookSoon() }
                return try await find(made.id)
            } catch let used as RequestToken.Used {
                guard try await house.catalog.change({ try $0.snapshot(used.object)?.isPresent }) == true else {
                    throw used.gone
                }
                return try await find(used.object)
            }
        }
    }

    private func checkSource(_ id: String, in from: Household) async throws {
        let record = try await from.usableSnapshot(id, for: caller)
        guard record.state == .completed else {
            throw ServiceError(
                .wrongState, .snapshot,
                "the snapshot \(id) is \(record.state.rawValue): a completed one can be copied")
        }
    }
}

extension Household {
    static func noRegion(_ name: String, _ neighbours: Neighbours) -> ServiceError {
        let known = neighbours.all.map(\.region.name).joined(separator: ", ")
        return ServiceError(.invalid, .house, "there is no region \(name.quotable) here: there are \(known)")
    }

    /// How a copy is to be encrypted: as the account settled for this region, where nothing else is asked for. What is encrypted
    /// already and stays in its store keeps its key then, so that nothing moves.
    func encryption(
        of request: CopySnapshot, from source: Household, for caller: Caller
    ) async throws -> VolumeEncryption? {
        let settled = try await encryption(request.encryption, of: caller.account)
        guard request.encryption == nil, source === self else { return settled }
        let isEncrypted = try await catalog.change { try $0.snapshot(request.snapshot)?.dataKey } != nil
        return isEncrypted ? nil : settled
    }

    /// Refuses a wrapping key that is not at hand in this region.
    func mustHold(_ key: String) async throws {
        let id = try Self.keyID(key)
        let isHere = try await remote.run { [door] in try door.repository().holds(id) }
        guard isHere else { throw ServiceError(.invalid, .store, "the key \(key.quotable) is not here") }
    }
}

extension SnapshotRecord {
    /// Refuses one of which nothing can be read: failed, or a copy or one written piece by piece that is not completed.
    func mustHaveContent() throws {
        switch state {
        case .completed: return
        case .pending where !isOfNoVolume: return
        case .pending where written != nil:
            throw ServiceError(
                .wrongState, .snapshot, "the snapshot \(id) is being written: wait until it is completed")
        case .pending:
            throw ServiceError(
                .wrongState, .snapshot, "the snapshot \(id) is a copy under way: wait until it is completed")
        case .creating, .error:
            throw ServiceError(
                .wrongState, .snapshot,
                "the snapshot \(id) is \(state.rawValue): it has no content\(reason.map { " (\($0))" } ?? "")")
        }
    }
}
