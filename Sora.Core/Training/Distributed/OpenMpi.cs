using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Sora.Training.Distributed;

/// <summary>
/// The calls of the system's Open MPI that training needs (MPI 4.0, chapters 6 and 11). What the C header names as constants are
/// addresses of objects that the library exports (<c>ompi/include/mpi.h.in</c>). All calls come from one thread, the one
/// that initialised the library.
/// </summary>
internal static unsafe partial class OpenMpi
{
    private const string Library = "libmpi.so.40";

    // Sums are exact in their order, and messages of any size are one call: parts that fit MPI's int counts.
    private const long LargestCount = 1 << 28;

    // MPI_THREAD_FUNNELED: many threads, of which one calls MPI.
    private const int Funneled = 1;

    // MPI_MAX_ERROR_STRING and MPI_IN_PLACE of Open MPI.
    private const int LongestError = 256;
    private static readonly void* s_inPlace = (void*)1;

    private static nint s_library;
    private static nint s_world;

    /// <summary>How many processes <c>mpirun</c> started together; null where it started none.</summary>
    public static int? LaunchedCount =>
        int.TryParse(Environment.GetEnvironmentVariable("OMPI_COMM_WORLD_SIZE"), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : null;

    /// <summary>Connects to the other processes, and waits for them.</summary>
    /// <exception cref="SoraException">There is no Open MPI.</exception>
    public static (int Rank, int Count) Initialize()
    {
        if (!NativeLibrary.TryLoad(Library, out s_library))
            throw new SoraException($"mpirun started this process (OMPI_COMM_WORLD_SIZE is set), but {Library} cannot be loaded; install Open MPI (Debian: libopenmpi3), or start without mpirun.");
        int provided;
        Check(MPI_Init_thread(null, null, Funneled, &provided), nameof(MPI_Init_thread));
        s_world = Constant("ompi_mpi_comm_world");
        // Errors come back as codes, so that they are told in this program's words.
        Check(MPI_Comm_set_errhandler(s_world, Constant("ompi_mpi_errors_return")), nameof(MPI_Comm_set_errhandler));
        if (provided < Funneled)
            throw new SoraException("This Open MPI was built without support for threads (MPI_THREAD_FUNNELED), which training needs.");
        int rank, count;
        Check(MPI_Comm_rank(s_world, &rank), nameof(MPI_Comm_rank));
        Check(MPI_Comm_size(s_world, &count), nameof(MPI_Comm_size));
        return (rank, count);
    }

    /// <summary>Replaces float32 numbers by their sums over all processes.</summary>
    public static void SumFloats(nint numbers, long count) => Sum(numbers, count, sizeof(float), Constant("ompi_mpi_float"));

    /// <summary>Replaces float64 numbers by their sums over all processes.</summary>
    public static void SumDoubles(nint numbers, long count) => Sum(numbers, count, sizeof(double), Constant("ompi_mpi_double"));

    /// <summary>Replaces bytes by those of the first process.</summary>
    public static void Broadcast(nint bytes, long count)
    {
        for (long start = 0; start < count; start += LargestCount)
        {
            int length = (int)Math.Min(LargestCount, count - start);
            Check(MPI_Bcast((byte*)bytes + start, length, Constant("ompi_mpi_byte"), 0, s_world), nameof(MPI_Bcast));
        }
    }

    /// <summary>Ends the connection; waits until all processes do.</summary>
    public static void Complete() => Check(MPI_Finalize(), nameof(MPI_Finalize));

    private static void Sum(nint numbers, long count, int size, nint type)
    {
        nint sum = Constant("ompi_mpi_op_sum");
        for (long start = 0; start < count; start += LargestCount)
        {
            int length = (int)Math.Min(LargestCount, count - start);
            Check(MPI_Allreduce(s_inPlace, (byte*)numbers + (start * size), length, type, sum, s_world), nameof(MPI_Allreduce));
        }
    }

    private static nint Constant(string name) => NativeLibrary.GetExport(s_library, name);

    private static void Check(int code, string call)
    {
        if (code == 0)
            return;
        byte* text = stackalloc byte[LongestError];
        int length = 0;
        string message = MPI_Error_string(code, text, &length) == 0 ? Encoding.UTF8.GetString(text, length) : $"code {code}";
        throw new SoraException($"{call} failed: {message}. The other processes may have ended; the training can be resumed from its last checkpoint.");
    }

    [LibraryImport(Library)]
    private static partial int MPI_Init_thread(int* argc, byte*** argv, int required, int* provided);

    [LibraryImport(Library)]
    private static partial int MPI_Comm_set_errhandler(nint comm, nint handler);

    [LibraryImport(Library)]
    private static partial int MPI_Comm_rank(nint comm, int* rank);

    [LibraryImport(Library)]
    private static partial int MPI_Comm_size(nint comm, int* size);

    [LibraryImport(Library)]
    private static partial int MPI_Allreduce(void* send, void* receive, int count, nint type, nint operation, nint comm);

    [LibraryImport(Library)]
    private static partial int MPI_Bcast(void* buffer, int count, nint type, int root, nint comm);

    [LibraryImport(Library)]
    private static partial int MPI_Error_string(int code, byte* text, int* length);

    [LibraryImport(Library)]
    private static partial int MPI_Finalize();
}
