import Blocks
import TestSupport
import Testing
import VolumeEngine

/// A volume keeps the laws of a block device in every shape that it can have.
@Suite struct VolumeLawTests {
    enum Shape: String, CaseIterable, Sendable { case plain, pendingCut, twoCuts, hydrating }

    private func make(_ shape: Shape, _ scratch: Scratch) throws -> Volume {
        let environment = VolumeEnvironment.local()
        let isHydrating = shape == .hydrating
        try Volume.create(
            NewVolume(size: ByteCount(1 << 20 | 512), source: isHydrating ? "snap-0" : nil),
            at: scratch.path + "/v", in: environment)
        let source = isHydrating ? ImageSource([UInt8](repeating: 0, count: 1 << 20)) : nil
        let volume = try Volume.open(at: scratch.path + "/v", in: environment, source: source)
        if shape == .pendingCut || shape == .twoCuts { _ = try volume.cut(for: "snap-1") }
        if shape == .twoCuts { _ = try volume.cut(for: "snap-2") }
        return volume
    }

    @Test("keeps every law of a block device", arguments: BlockDeviceLaw.allCases, Shape.allCases)
    func law(_ law: BlockDeviceLaw, _ shape: Shape) throws {
        let scratch = try Scratch()
        try law.check(try make(shape, scratch))
    }

    @Test("agrees with a model", arguments: Seed.some(fixed: 2, fresh: 4), Shape.allCases)
    func models(_ seed: Seed, _ shape: Shape) throws {
        let scratch = try Scratch()
        try BlockDeviceLaw.agreesWithAModel.check(try make(shape, scratch), seed: seed)
    }
}
