public import Blocks

/// A kind of volume: how large it may be and how fast it is to be. The clouds' names for kinds map to these.
public struct VolumeKind: Sendable, Equatable {
    /// Whose word for it its name is.
    public enum Family: Sendable, CaseIterable { case amazon, alibaba, kingsoft }

    /// Its name, as its cloud has it.
    public let name: String
    /// The cloud that has it.
    public let family: Family
    /// The sizes it may have, in GiB.
    public let gibibytes: ClosedRange<Int>
    /// Operations a second that may be asked for; nil: they follow from the size, or are not limited.
    public let iops: ClosedRange<Int>?
    /// How many of those a GiB may have; nil: as many as are allowed at all.
    public let iopsPerGibibyte: Int?
    /// Asked for or not, nothing is made without.
    public let needsIOPS: Bool
    /// MiB a second that may be asked for; nil: they follow from the size.
    public let throughput: ClosedRange<Int>?
    /// What it has of both whatever is asked for; nil: nothing.
    public let baseIOPS: Int?
    /// See ``baseIOPS``.
    public let baseThroughput: Int?
    /// May several instances have one at a time?
    ///
    /// Sources: Amazon EBS user guide, "Multi-Attach"; Alibaba Cloud ECS documentation, "Enable multi-attach".
    public var mayBeShared: Bool {
        switch family {
        case .amazon: self == Self.io1 || self == Self.io2
        case .alibaba:
            ["cloud_auto", "cloud_regional_disk_auto"].contains(name) || name.hasPrefix("cloud_essd.")
        case .kingsoft: false
        }
    }

    private init(
        _ name: String, _ gibibytes: ClosedRange<Int>, iops: ClosedRange<Int>? = nil, perGibibyte: Int? = nil,
        needsIOPS: Bool = false, throughput: ClosedRange<Int>? = nil, base: (iops: Int, throughput: Int)? = nil,
        family: Family = .amazon
    ) {
        self.name = name
        self.family = family
        self.gibibytes = gibibytes
        self.iops = iops
        iopsPerGibibyte = perGibibyte
        self.needsIOPS = needsIOPS
        self.throughput = throughput
        baseIOPS = base?.iops
        baseThroughput = base?.throughput
    }

    /// General purpose, as fast as it is large. What a volume is if nobody says.
    public static let gp2 = VolumeKind("gp2", 1...16_384)
    /// General purpose, as fast as is asked for.
    public static let gp3 = VolumeKind(
        "gp3", 1...65_536, iops: 100...80_000, perGibibyte: 500, throughput: 1...2000, base: (3000, 125))
    /// Operations a second as asked for.
    public static let io1 = VolumeKind("io1", 4...16_384, iops: 100...64_000, perGibibyte: 50, needsIOPS: true)
    /// The same, with more for its size.
    public static let io2 = VolumeKind("io2", 4...65_536, iops: 100...256_000, perGibibyte: 1000, needsIOPS: true)
    /// For long reads and writes.
    public static let st1 = VolumeKind("st1", 125...16_384)
    /// The same, slower.
    public static let sc1 = VolumeKind("sc1", 125...16_384)
    /// The oldest kind.
    public static let standard = VolumeKind("standard", 1...1024)

    /// Kingsoft's, of flash.
    public static let ssd3 = kingsoft("SSD3.0", 10...32_000)
    /// Kingsoft's, of disks.
    public static let ehdd = kingsoft("EHDD", 10...32_000)
    /// Kingsoft's, as fast as it is large, and as is asked for besides.
    public static let essdAutoPL = VolumeKind("ESSD_AutoPL", 40...32_768, iops: 1...100_000, family: .kingsoft)
    private static let kingsofts = [
        ssd3, ehdd, kingsoft("SSD2.0", 10...32_000), kingsoft("SATA2.0", 10...32_000),
        kingsoft("SATA3.0", 10...32_000), kingsoft("ESSD_Entry", 40...32_768), kingsoft("ESSD_PL0", 40...32_768),
        kingsoft("ESSD_PL1", 40...32_768), kingsoft("ESSD_PL2", 461...32_768), kingsoft("ESSD_PL3", 1761...32_768),
        essdAutoPL,
    ]

    private static func kingsoft(_ name: String, _ gibibytes: ClosedRange<Int>) -> VolumeKind {
        VolumeKind(name, gibibytes, family: .kingsoft)
    }

    /// Alibaba's categories, and performance levels after a point.
    private static let alibabas = [
        alibaba("cloud", 5...2000), alibaba("cloud_efficiency", 20...32_768), alibaba("cloud_ssd", 20...32_768),
        alibaba("cloud_essd.PL0", 1...65_536), alibaba("cloud_essd.PL1", 20...65_536),
        alibaba("cloud_essd.PL2", 461...65_536), alibaba("cloud_essd.PL3", 1261...65_536),
        alibaba("cloud_auto", 1...65_536), alibaba("cloud_essd_entry", 10...32_768),
        alibaba("cloud_regional_disk_auto", 10...65_536),
    ]

    private static func alibaba(_ name: String, _ gibibytes: ClosedRange<Int>) -> VolumeKind {
        VolumeKind(name, gibibytes, family: .alibaba)
    }

    /// Every kind.
    public static let all = [gp2, gp3, io1, io2, st1, sc1, standard] + alibabas + kingsofts

    /// The kind of that name, or nil.
    public static func named(_ name: String) -> VolumeKind? { all.first { $0.name == name } }
}

/// How fast a volume is to be.
public struct VolumeProfile: Sendable, Equatable, Codable {
    /// The name of its ``VolumeKind``.
    public var kind: String
    /// Operations a second; nil: not limited by the kind.
    public var iops: Int?
    /// MiB a second, likewise.
    public var throughput: Int?

    /// Makes one.
    public init(kind: String, iops: Int? = nil, throughput: Int? = nil) {
        self.kind = kind
        self.iops = iops
        self.throughput = throughput
    }

    /// What a volume of this kind and size gets: what was asked for, else what the kind has by itself.
    ///
    /// Source: the tables of volume types in the clouds' user guides.
    public init(_ kind: VolumeKind, size: ByteCount, iops: Int? = nil, throughput: Int? = nil) {
        let gibibytes = max(1, (size.bytes + (1 << 30) - 1) >> 30)
        self.kind = kind.name
        switch kind {
        case .gp2:
            self.iops = min(16_000, max(100, 3 * gibibytes))
            self.throughput = gibibytes <= 170 ? 128 : 250
        case .gp3:
            self.iops = max(kind.baseIOPS ?? 0, iops ?? 0)
            self.throughput = max(kind.baseThroughput ?? 0, throughput ?? 0)
        case .io1, .io2:
            self.iops = iops
        case .st1:
            self.throughput = min(500, 40 * gibibytes / 1024)
        case .sc1:
            self.throughput = min(250, 12 * gibibytes / 1024)
        case _ where kind.family == .kingsoft:
            guard let speed = KindSpeed.named[kind.name] else { break }
            self.iops = max(speed.iops.of(gibibytes), kind.iops == nil ? 0 : iops ?? 0)
            self.throughput = speed.throughput.of(gibibytes)
        default: break
        }
    }
}

/// A kind whose speed grows with its size, from a base to a most.
private struct KindSpeed {
    struct Line {
        let base: Double
        let perGibibyte: Double
        let most: Int

        func of(_ gibibytes: Int) -> Int { min(most, Int(base + perGibibyte * Double(gibibytes))) }
    }
    let iops: Line
    let throughput: Line

    private init(_ iops: (Double, Double, Int), _ throughput: (Double, Double, Int)) {
        self.iops = Line(base: iops.0, perGibibyte: iops.1, most: iops.2)
        self.throughput = Line(base: throughput.0, perGibibyte: throughput.1, most: throughput.2)
    }

    private static let flash = KindSpeed((1800, 30, 25_000), (120, 0.5, 256))
    private static let disk = KindSpeed((1800, 8, 5000), (100, 0.15, 130))
    private static let level1 = KindSpeed((1800, 50, 50_000), (120, 0.5, 350))
    /// Of Kingsoft SSD3.0 and EHDD are published; ESSD levels are as other clouds have those of the same names.
    static let named: [String: KindSpeed] = [
        "SSD3.0": flash, "SSD2.0": flash, "EHDD": disk, "SATA2.0": disk, "SATA3.0": disk,
        "ESSD_Entry": KindSpeed((1800, 8, 6000), (100, 0.15, 150)),
        "ESSD_PL0": KindSpeed((1800, 12, 10_000), (100, 0.25, 180)), "ESSD_PL1": level1, "ESSD_AutoPL": level1,
        "ESSD_PL2": KindSpeed((1800, 50, 100_000), (120, 0.5, 750)),
        "ESSD_PL3": KindSpeed((1800, 50, 1_000_000), (120, 0.5, 4000)),
    ]
}
