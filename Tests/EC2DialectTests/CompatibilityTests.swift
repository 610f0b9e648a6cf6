import TestSupport
import Testing

@testable import EC2Dialect

@Suite struct CompatibilityTests {
    @Test("docs/compatibility.md says what the routing table says (VARVE_WRITE_DOCS=1 writes it)")
    func page() throws {
        try GeneratedTable("actions", in: "docs/compatibility.md").check(Compatibility.table)
    }
}
