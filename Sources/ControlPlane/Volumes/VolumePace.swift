internal import Blocks
internal import Catalog

/// How fast volumes may be used: one ``Blocks/Pace`` each, which its exports share and which changes with its profile.
final class VolumePaces: Sendable {
    private let paces = Guarded<[String: Pace]>([:])

    /// The pace of a volume, brought up to date.
    func pace(of id: String, _ limits: Pace.Limits) -> Pace {
        let pace = paces.withLock { paces in
            let pace = paces[id] ?? Pace()
            paces[id] = pace
            return pace
        }
        pace.set(limits)
        return pace
    }

    func remove(_ id: String) { paces.withLock { $0[id] = nil } }
}

extension Household {
    /// How fast a volume may be used; nil: the house holds none to its profile.
    ///
    /// Call it whenever the record changed: exports that are open go on with what is new.
    @discardableResult
    func pace(of record: VolumeRecord) -> Pace? {
        guard holdsPaces else { return nil }
        return paces.pace(of: record.id, record.isPaced ? VolumeProfile.limits(of: record) : Pace.Limits())
    }
}

extension VolumeProfile {
    private static let mebibyte = 1 << 20
    /// Operations of a small gp2 volume while it has credit, and the credit a full bucket holds.
    private static let gp2Burst = (rate: 3000, credit: 5_400_000)

    /// What a volume may use at once and for long.
    ///
    /// Source: the burst model of gp2, st1 and sc1 in Amazon's EBS user guide. A gp2 volume below 1000 GiB goes at 3000 operations
    /// a second until its credit is used up and then as its size says; st1 and sc1 keep a credit of bytes likewise.
    static func limits(of record: VolumeRecord) -> Pace.Limits {
        let profile = VolumeProfile(
            named: record.kind, size: record.size, iops: record.iops, throughput: record.throughput)
        let gibibytes = max(1, (record.size.bytes + (1 << 30) - 1) >> 30)
        var limits = Pace.Limits()
        if let iops = profile.iops {
            if record.kind == VolumeKind.gp2.name, iops < gp2Burst.rate {
                limits.operations = [
                    Pace.Limit(rate: gp2Burst.rate), Pace.Limit(rate: iops, depth: gp2Burst.credit),
                ]
            } else {
                limits.operations = [Pace.Limit(rate: iops)]
            }
        }
        switch record.kind {
        case VolumeKind.st1.name: limits.bytes = disk(gibibytes, burst: 250, most: 500, base: 40)
        case VolumeKind.sc1.name: limits.bytes = disk(gibibytes, burst: 80, most: 250, base: 12)
        default:
            if let throughput = profile.throughput { limits.bytes = [Pace.Limit(rate: throughput * mebibyte)] }
        }
        return limits
    }

    /// A kind whose throughput follows from its size: MiB a second for each TiB, and a credit of the size itself.
    private static func disk(_ gibibytes: Int, burst: Int, most: Int, base: Int) -> [Pace.Limit] {
        func rate(_ perTebibyte: Int) -> Int { max(1, min(most, perTebibyte * gibibytes / 1024)) * mebibyte }
        return [Pace.Limit(rate: rate(burst)), Pace.Limit(rate: rate(base), depth: gibibytes << 30)]
    }
}
