using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace TorchSharp;

/// <summary>
/// What the libraries below libtorch read from the environment when they are loaded, where nobody has chosen it yet.
/// </summary>
internal static unsafe partial class NativeSettings
{
    private const string OpenBlas = "libopenblas.so.0", Kernels = "OPENBLAS_CORETYPE", Spinning = "GOMP_SPINCOUNT", Waiting = "OMP_WAIT_POLICY";

    // Some microseconds.
    private const string ShortSpinning = "1000";

    // OpenBLAS' name for what it gives to a processor that it does not know.
    private const string OfUnknownProcessors = "Prescott";

    // Before anything else of this assembly, and so before libtorch.
#pragma warning disable CA2255 // what a program does first cannot be left to the program
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Choose()
    {
        ChooseKernels();
        ChooseWaiting();
    }

    // OpenBLAS chooses its kernels by a list of processors, and one that is newer than the library gets those of 2004 (SSE3), which
    // multiply at a quarter of the speed or less. So it is asked what it would choose, and told otherwise where the processor can do more.
    private static void ChooseKernels()
    {
        if (IsSet(Kernels) || ChosenKernels() != OfUnknownProcessors)
            return;
        if (Avx512F.VL.IsSupported && Avx512BW.VL.IsSupported && Avx512DQ.VL.IsSupported)
            Set(Kernels, "SkylakeX");
        else if (Avx2.IsSupported && Fma.IsSupported)
            Set(Kernels, "Haswell");
    }

    // A thread of OpenMP that waits for the others spins for a millisecond before it sleeps. Where another program has a processor, the system
    // may run both threads on the one that is left, in turns, and then nearly all of that time is spun away while the other cannot run.
    private static void ChooseWaiting()
    {
        if (!IsSet(Spinning) && !IsSet(Waiting))
            Set(Spinning, ShortSpinning);
    }

    // Null where there is no OpenBLAS, or one that does not say.
    private static string? ChosenKernels()
    {
        if (!NativeLibrary.TryLoad(OpenBlas, out nint library))
            return null;
        string? chosen = NativeLibrary.TryGetExport(library, "openblas_get_corename", out nint name)
            ? Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)name)())
            : null;
        NativeLibrary.Free(library);
        return chosen;
    }

    private static bool IsSet(string name) => Environment.GetEnvironmentVariable(name) is not null;

    // .NET's own does not reach the native environment.
    private static void Set(string name, string value) => _ = SetEnvironment(name, value, 0);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
