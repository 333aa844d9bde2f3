using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace TorchSharp;

/// <summary>
/// Has OpenBLAS use kernels for this processor. It chooses them by a list of models when it is loaded, and one that is newer than
/// the library gets those of 2004 (SSE3), which multiply at a quarter of the speed or less. So it is asked what it would choose before
/// libtorch loads it, and told otherwise where the processor can do more. Whoever sets OPENBLAS_CORETYPE has chosen.
/// </summary>
internal static unsafe partial class OpenBlas
{
    internal const string Library = "libopenblas.so.0", Variable = "OPENBLAS_CORETYPE";

    private const string OfUnknownProcessors = "Prescott";

    // Before anything else of this assembly, and so before libtorch, which loads OpenBLAS.
#pragma warning disable CA2255 // what a program does first cannot be left to the program
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void ChooseKernels()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null && Kernels(Chosen()) is { } kernels)
            _ = SetEnvironment(Variable, kernels, 0);
    }

    /// <summary>The name of the kernels that a process gets which loads OpenBLAS now; null where it has none, or one that does not say.</summary>
    internal static string? Chosen()
    {
        if (!NativeLibrary.TryLoad(Library, out nint library))
            return null;
        string? chosen = NativeLibrary.TryGetExport(library, "openblas_get_corename", out nint name)
            ? Marshal.PtrToStringUTF8((nint)((delegate* unmanaged<byte*>)name)())
            : null;
        NativeLibrary.Free(library);
        return chosen;
    }

    /// <summary>What OpenBLAS calls better kernels than those it chose; null where there are none.</summary>
    internal static string? Kernels(string? chosen) => chosen != OfUnknownProcessors ? null
        : Avx512F.VL.IsSupported && Avx512BW.VL.IsSupported && Avx512DQ.VL.IsSupported ? "SkylakeX"
        : Avx2.IsSupported && Fma.IsSupported ? "Haswell"
        : null;

    // .NET's own does not reach the native environment.
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
