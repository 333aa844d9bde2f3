namespace Sora.Layers;

/// <summary>The seam to the loading of the engine's native libraries.</summary>
internal static class EngineStart
{
#if SYSTEM_TORCH
    private static int s_begun;
#endif

    /// <summary>Begins to load them on a thread of its own and returns; TorchSharp loads its own when it is first used.</summary>
    public static void Begin()
    {
#if SYSTEM_TORCH
        if (Interlocked.Exchange(ref s_begun, 1) != 0)
            return;
        // No thread of the pool: what libtorch keeps for each thread stays as it is.
        new Thread(Load) { IsBackground = true, Name = "loading libtorch" }.Start();

        static void Load()
        {
            try
            {
                SystemEngine.Load();
            }
            catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
            {
                // Whoever uses the engine first meets the same, and can be told.
            }
        }
#endif
    }
}
