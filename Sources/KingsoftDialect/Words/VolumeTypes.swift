internal import ControlPlane

/// Types of volumes, as Kingsoft calls them.
enum VolumeTypes {
    /// Those that volumes can be made of.
    static let all = VolumeKind.all.filter { $0.family == .kingsoft }.map(\.name)

    /// Of these no snapshots are taken at this door, as the cloud documents it: of SSD3.0 and EHDD alone.
    static let withoutSnapshots = Set(all).subtracting([VolumeKind.ssd3.name, VolumeKind.ehdd.name])

    /// The type of a volume; of one that another cloud's client made the one that is most like it.
    static func type(of volume: VolumeView) -> String { type(ofKind: volume.profile.kind) }

    static func type(ofKind name: String) -> String {
        guard let kind = VolumeKind.named(name) else { return VolumeKind.ssd3.name }
        guard kind.family != .kingsoft else { return kind.name }
        return [VolumeKind.st1, .sc1, .standard].contains(kind) ? VolumeKind.ehdd.name : VolumeKind.ssd3.name
    }

    /// The kind that the parameter names.
    static func kind(_ parameter: String, _ call: KingsoftCall) throws(KingsoftFailure) -> VolumeKind? {
        guard let name = try call.parameters.word(parameter, of: all) else { return nil }
        return VolumeKind.named(name)
    }

    /// Whole GiB, which is what this cloud means by GB, rounded up.
    static func gibibytes(_ bytes: Int) -> Int { (bytes + (1 << 30) - 1) >> 30 }
}
