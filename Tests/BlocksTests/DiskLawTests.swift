import Blocks
import Simulation
import TestSupport
import Testing

@Suite struct DiskLawTests {
    @Test("the local disk keeps every law of a disk", arguments: DiskLaw.allCases)
    func local(_ law: DiskLaw) throws {
        let scratch = try ScratchDirectory("disk-law")
        try law.check(LocalDisk(), in: scratch.path)
    }

    @Test("the simulated disk keeps every law of a disk", arguments: DiskLaw.allCases)
    func simulated(_ law: DiskLaw) throws {
        let disk = SimulatedDisk()
        try disk.makeDirectory("/data")
        try law.check(disk.mount(), in: "/data")
    }
}
