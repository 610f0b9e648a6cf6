public import Blocks
internal import ObjectStore

/// Looking for damage, pack by pack and snapshot by snapshot.
extension Repository {
    /// Makes sure that the store still holds this repository. A directory that is not mounted any more lists as empty, and
    /// whatever is asked of it is missing: that is a store that is away, and no damage.
    ///
    /// - Throws: ``RepositoryFailure/store(_:)``, transient, if it does not.
    public func confirm() throws(RepositoryFailure) {
        guard try access.object(keys.repository) == nil else { return }
        throw .store(.transient("the repository \(id) is not in it any more: is it mounted?"))
    }

    /// Up to `limit` packs after `last` in the order of their keys, with their sizes: so all of the store can be gone
    /// through, bit by bit and over restarts. Fewer than `limit` does not mean the end; none does.
    public func packs(after last: PackName?, limit: Int) throws(RepositoryFailure) -> [(
        name: PackName, size: ByteCount
    )] {
        var start = last.map(keys.pack)
        while true {
            let page: [ObjectEntry]
            do { page = try store.list(prefix: keys.packs, startAfter: start, limit: limit) } catch {
                throw .store(error)
            }
            let found = page.compactMap { entry in keys.packName(entry.key).map { (name: $0, size: entry.size) } }
            guard found.isEmpty, page.count == limit, let end = page.last else { return found }
            // Nothing but strangers among the packs: go on behind them.
            start = end.key
        }
    }

    /// Reads one pack whole and checks its directory and every frame in it. What is wrong comes as findings.
    ///
    /// A pack that is not there (any more) has none: whether somebody needs it only the snapshots tell. Of an encrypted
    /// one whose key is not here only the checksum of the directory is checked.
    public func check(_ pack: PackName, size: ByteCount) throws(RepositoryFailure) -> [Finding] {
        let key = keys.pack(pack)
        do throws(RepositoryFailure) {
            guard let (footer, opened) = try directory(of: pack, size: size) else { return [] }
            let header = opened.cipher == nil ? PackFooter.header : PackFooter.sealedHeader
            let all = try access.bytes(of: pack, ByteRange(at: 0, count: size), blocks: nil)
            var findings: [Finding] = []
            if all.prefix(header.count) != header[...] {
                findings.append(
                    Finding(object: key, snapshot: nil, blocks: nil, problem: "it does not start as packs do"))
            }
            for entry in footer.entries {
                let place = entry.offset..<entry.offset + entry.storedLength
                do throws(RepositoryFailure) {
                    _ = try all.readBytes(place) { (stored) throws(RepositoryFailure) in
                        // A table is in the clear, whatever the pack is.
                        let way = entry.what == .table ? access : opened
                        return try way.plain(of: footer.pointer(entry), stored: stored, blocks: nil)
                    }
                } catch { findings.append(try Self.finding(error)) }
            }
            return findings
        } catch {
            let finding = try Self.finding(error)
            do { if try store.size(of: key) == nil { return [] } } catch { throw .store(error) }
            return [finding]
        }
    }

    /// A pack's directory and the way to what the pack holds; nil if the key is not here.
    private func directory(
        of pack: PackName, size: ByteCount
    ) throws(RepositoryFailure) -> (PackFooter, PackAccess)? {
        if let footer = try access.checkedFooter(of: pack, size: size) { return (footer, access) }
        var isLocked = false
        for key in try dataKeys(of: pack) {
            guard let cipher = try cipher(key) else {
                isLocked = true
                continue
            }
            let opened = access.opened(with: cipher)
            do throws(RepositoryFailure) { return (try opened.footer(of: pack, size: size), opened) } catch {
                guard case .corrupt = error else { throw error }
            }
        }
        if isLocked { return nil }
        throw .corrupt(object: keys.pack(pack), blocks: nil, reason: "its footer does not match its seal")
    }

    /// Nil if the key is not here, or its record is damaged: that is no fault of a pack.
    private func cipher(_ key: DataKeyID) throws(RepositoryFailure) -> SnapshotCipher? {
        do throws(RepositoryFailure) { return try vault.cipher(key) } catch {
            switch error {
            case .keyMissing, .corrupt: return nil
            default: throw error
            }
        }
    }

    /// The data key of an encrypted pack, or those that may be: a deleted snapshot's manifest does not tell any more, while
    /// later ones still need its packs.
    private func dataKeys(of pack: PackName) throws(RepositoryFailure) -> [DataKeyID] {
        do throws(RepositoryFailure) {
            if let key = try findManifest(pack.snapshot, alsoTrashed: true)?.plan.dataKey { return [key] }
        } catch {
            guard case .corrupt = error else { throw error }
        }
        return try vault.dataKeyIDs()
    }

    private static func finding(_ failure: RepositoryFailure) throws(RepositoryFailure) -> Finding {
        guard case .corrupt(let object, let blocks, let reason) = failure else { throw failure }
        return Finding(object: object, snapshot: nil, blocks: blocks, problem: reason)
    }

    /// The snapshots that need one of `suspects`, or a pack that the listing contradicts, or that are damaged themselves.
    public func atRisk(_ suspects: Set<PackName>) throws(RepositoryFailure) -> SnapshotsAtRisk {
        let listed = try listedPacks()
        var risk = SnapshotsAtRisk()
        risk.packs = suspects
        var ids: [SnapshotID] = []
        try access.list(keys.snapshots) { entry in
            if let id = keys.id(entry.key, in: keys.snapshots) { ids.append(id) }
        }
        for id in ids {
            risk.committed.insert(id)
            do throws(RepositoryFailure) {
                // Nil: deleted since the listing.
                guard let manifest = try findManifest(id, alsoTrashed: false) else {
                    risk.committed.remove(id)
                    continue
                }
                let table = try table(of: manifest)
                var doubtful = Set(table.packs.keys.filter { suspects.contains($0) })
                for (pack, entry) in table.packs where listed[pack]?.bytes != entry.size { doubtful.insert(pack) }
                for pack in [manifest.root?.pack, manifest.packs?.pack].compactMap({ $0 })
                where listed[pack] == nil || suspects.contains(pack) { doubtful.insert(pack) }
                guard !doubtful.isEmpty else { continue }
                risk.packs.formUnion(doubtful)
            } catch {
                guard case .corrupt(let object, _, _) = error else { throw error }
                if let pack = keys.packName(object) { risk.packs.insert(pack) }
            }
            risk.snapshots.insert(id)
        }
        return risk
    }

    /// What of the given snapshots cannot be read, to the block. Frames are read only in `suspects` (nil: in every pack)
    /// and where the listing contradicts them; nodes always.
    ///
    /// - Parameters:
    ///   - snapshots: with the size of the volume at each cut.
    ///   - isStopped: asked often, by this thread; once it says yes the survey ends with
    ///     ``RepositoryFailure/cancelled``.
    public func damage(
        of snapshots: [(id: SnapshotID, size: ByteCount)], suspects: Set<PackName>?,
        isStopped: @escaping @Sendable () -> Bool = { false }
    ) throws(RepositoryFailure) -> [SnapshotDamage] {
        var survey = try DamageSurvey(
            Repository(id: id, store: store, options: options), suspects: suspects, isStopped: isStopped)
        var found: [SnapshotDamage] = []
        for snapshot in snapshots { found.append(try survey.run(snapshot.id, size: snapshot.size)) }
        return found
    }

    /// The packs that findings are about.
    public func packs(in findings: [Finding]) -> Set<PackName> { Set(findings.compactMap { keys.packName($0.object) }) }

    /// Every pack that the store lists.
    func listedPacks() throws(RepositoryFailure) -> [PackName: ByteCount] {
        var packs: [PackName: ByteCount] = [:]
        try access.list(keys.packs) { entry in
            if let name = keys.packName(entry.key) { packs[name] = entry.size }
        }
        return packs
    }
}

/// Healing.
extension Repository {
    /// Stores frames that were lost anew, from volumes that still hold the same content, and lets the damaged snapshots
    /// refer to them. What nobody has any more stays as it is; nothing is ever made worse.
    ///
    /// While it runs no snapshot of `damages` may be deleted, and no upload may run whose parent is one of them.
    ///
    /// - Parameters:
    ///   - damages: as ``damage(of:suspects:isStopped:)`` found them; snapshots are healed in this order and share frames.
    ///   - isStopped: asked often, by this thread; once it says yes healing ends with ``RepositoryFailure/cancelled``, as a
    ///     crash would end it.
    public func heal(
        _ damages: [SnapshotDamage], from donors: [any FrameDonor],
        isStopped: @escaping @Sendable () -> Bool = { false }
    ) throws(RepositoryFailure) -> HealReport {
        var healer = Healer(
            Repository(id: id, store: store, options: options), donors: donors, isStopped: isStopped)
        return try healer.run(damages)
    }

    /// Removes pins that nobody will: of `committed`, what a healing that was cut off leaves, as far as their manifests
    /// are there; and all of `abandoned`.
    ///
    /// A pin and a manifest beside it do not tell that the writer has ended: it looks at its pin once more after the
    /// commit, and takes the commit back if that is gone. So the caller says whose writers have ended for good.
    ///
    /// - Parameters:
    ///   - committed: snapshots whose writers returned their manifest, and of which none is being healed.
    ///   - abandoned: snapshots that will never be committed; no writer of them runs or will be made again.
    public func unpin(
        committed: Set<SnapshotID>, abandoned: Set<SnapshotID>
    ) throws(RepositoryFailure) {
        var pinned: [SnapshotID] = []
        try access.list(keys.uploads) { entry in
            if let id = keys.id(entry.key, in: keys.uploads) { pinned.append(id) }
        }
        for id in pinned {
            var isLeftOver = abandoned.contains(id)
            // One whose manifest was lost keeps its packs: the manifest may come back from a copy of the store.
            if committed.contains(id) { isLeftOver = try access.object(keys.manifest(id)) != nil }
            if isLeftOver { try abandonUpload(id) }
        }
    }
}
