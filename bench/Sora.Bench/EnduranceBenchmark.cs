namespace Sora.Bench;

/// <summary>Many generations in one process: neither memory nor the number of tensors may grow.</summary>
internal static class EnduranceBenchmark
{
    private const string Name = "memory after the last / the tenth generation";

    public static IEnumerable<Measurement> Run(bool quick)
    {
        if ((quick ? Repository.TinyModel : Repository.PocketModel) is not { } model)
            return [Measurement.Missing(Name, "", "models/pocket is missing")];
        return RunAsync(model, quick ? 2 : 10, quick ? 4 : 50).GetAwaiter().GetResult();
    }

    private static async Task<IReadOnlyList<Measurement>> RunAsync(string model, int settled, int count)
    {
        using VideoGenerator generator = await VideoGenerator.LoadAsync(model);
        ModelLimits limits = generator.Limits;
        bool tiny = model == Repository.TinyModel;
        (double memory, long tensors) early = default;
        for (int i = 1; i <= count; i++)
        {
            var request = new VideoRequest("a red fish swims left in the deep sea")
            {
                Width = tiny ? 2 * limits.SpatialStride : null,
                Height = tiny ? 2 * limits.SpatialStride : null,
                FrameCount = tiny ? limits.TemporalStride + 1 : null,
                Steps = tiny ? 2 : 4, // every step does the same
                Seed = i,
            };
            using (await generator.GenerateAsync(request))
            {
            }
            if (i == settled)
                early = Now();
        }
        (double memory, long tensors) = Now();
        return
        [
            new(Name, memory / early.memory, "", Most: 1.03, Note: $"{count} generations"),
            new("tensors more after the last than after the tenth", tensors - early.tensors, "", Most: 0),
        ];
    }

    private static (double Memory, long Tensors) Now()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return (Environment.WorkingSet, Tensor.TotalCount);
    }
}
