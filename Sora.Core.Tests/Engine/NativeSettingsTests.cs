using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Sora.Tests.Cli;
using Sora.Tests.Generation;
using Xunit;

namespace Sora.Tests.Engine;

public class NativeSettingsTests
{
    private const string OfUnknownProcessors = "Prescott";

    [Fact]
    public async Task AProcessorThatIsNotKnownHasTheKernelsOfItsInstructionsAsync()
    {
        if (!Avx2.IsSupported || !HasOpenBlas())
            return;
        Assert.NotEqual(OfUnknownProcessors, await KernelsAsync(new() { ["OPENBLAS_VERBOSE"] = "2" }));
    }

    [Fact]
    public async Task WhoeverNamesKernelsHasThemAsync()
    {
        if (!Avx2.IsSupported || !HasOpenBlas())
            return;
        foreach (string named in (string[])[OfUnknownProcessors, "Haswell"])
            Assert.Equal(named, await KernelsAsync(new() { ["OPENBLAS_VERBOSE"] = "2", ["OPENBLAS_CORETYPE"] = named }));
    }

    [Theory]
    [InlineData(null, "1000")]
    [InlineData("70000", "70000")]
    public async Task ThreadsThatWaitSpinForMicrosecondsAsync(string? named, string expected)
    {
        Dictionary<string, string> environment = new() { ["OMP_DISPLAY_ENV"] = "verbose" };
        if (named is not null)
            environment["GOMP_SPINCOUNT"] = named;
        SoraProcess.Result run = await SoraProcess.RunAsync(["info", PocketModel.Folder], environment: environment);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains($"GOMP_SPINCOUNT = '{expected}'", run.Error, StringComparison.Ordinal);
    }

    private static bool HasOpenBlas()
    {
        if (!NativeLibrary.TryLoad("libopenblas.so.0", out nint library))
            return false;
        NativeLibrary.Free(library);
        return true;
    }

    // It says so whenever it is loaded: the last time is what stays.
    private static async Task<string> KernelsAsync(Dictionary<string, string> environment)
    {
        SoraProcess.Result run = await SoraProcess.RunAsync(["info", PocketModel.Folder], environment: environment);
        Assert.Equal(0, run.ExitCode);
        return run.Error.Split('\n').Last(line => line.StartsWith("Core: ", StringComparison.Ordinal))["Core: ".Length..].Trim();
    }
}
