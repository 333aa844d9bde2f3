using Sora.Layers;
using Sora.Patches;
using Sora.Transformer;
using Sora.Weights;

namespace Sora.Tests.Parity;

/// <summary>A folder with a transformer, and calls of it with one time for each clip or for each token.</summary>
internal static class TransformerParity
{
    public static void Run(string folder)
    {
        using IDisposable noGradients = no_grad();
        WanTransformerConfig config = WanTransformerConfig.Load(Path.Combine(folder, "config.json"));
        using var network = new DiffusionTransformer(config, new CheckpointParameters(folder, float32, CPU));
        foreach (string call in FixtureFolder.Calls(folder))
        {
            using DisposeScope scope = NewDisposeScope();
            using var reference = new ReferenceCase(call);
            if (reference.Has("mid.block0"))
                CheckParts(folder, config, reference);
        }
        CheckCalls(network, FixtureFolder.Calls(folder));
    }

    /// <summary>Asserts that a transformer gives the values of these calls.</summary>
    public static void CheckCalls(DiffusionTransformer network, IEnumerable<string> calls)
    {
        foreach (string call in calls)
        {
            using DisposeScope scope = NewDisposeScope();
            using var reference = new ReferenceCase(call);
            TextContext text = network.Prepare(reference.Get("encoder_hidden_states"), Image(network.Config, reference));
            Tensor velocity = network.Forward(reference.Get("hidden_states"), reference.Numbers("timestep"), text);
            reference.Close("output", velocity, reference.Tolerance());
        }
    }

    private static Tensor? Image(WanTransformerConfig config, ReferenceCase reference) =>
        config.ImageDim is null ? null : reference.Get("encoder_hidden_states_image");

    // The same call, part by part, so that a failure names the first part that is wrong.
    private static void CheckParts(string folder, WanTransformerConfig config, ReferenceCase reference)
    {
        using var source = new CheckpointParameters(folder, float32, CPU);
        var parameters = new ParameterScope(source);
        ParameterScope embedders = parameters["condition_embedder"];
        double tolerance = reference.Tolerance();
        long width = config.NumAttentionHeads * config.AttentionHeadDim;
        Tensor latents = reference.Get("hidden_states");
        long clips = latents.size(0);
        PatchGrid grid = Patchify.GridOf(latents, config.PatchSize);
        using var sequence = new PackedSequence(Enumerable.Repeat(grid, (int)clips), config.AttentionHeadDim, CPU);
        float[] given = reference.Numbers("timestep");
        TokenTimes times = given.Length == clips ? TokenTimes.PerClip(sequence.Layout, given) : TokenTimes.PerToken(given);

        // The reference's table repeats each angle for the two channels of its pair.
        Tensor angles = reference.Get("mid.rope_cos").view(grid.Count, config.AttentionHeadDim / 2, 2).select(-1, 0);
        reference.Close("mid.rope_cos", angles, sequence.Positions.Cos.narrow(0, 0, grid.Count), 1e-6);
        angles = reference.Get("mid.rope_sin").view(grid.Count, config.AttentionHeadDim / 2, 2).select(-1, 0);
        reference.Close("mid.rope_sin", angles, sequence.Positions.Sin.narrow(0, 0, grid.Count), 1e-6);

        reference.Close("mid.timestep_sinusoid", TimeEmbedding.Sinusoid(given, config.FreqDim), tolerance);
        (Tensor embedding, Tensor time) = new TimeEmbedding(embedders, config.FreqDim, width).Forward(times.Times, CPU);
        Tensor rows = tensor(Enumerable.Range(0, given.Length).Select(i => (long)times.Rows[i * times.Rows.Length / given.Length]).ToArray());
        reference.Close("mid.temb", embedding.index_select(0, rows), tolerance);
        reference.Close("mid.timestep_proj", time.index_select(0, rows), tolerance);

        Tensor text = new TextProjection(embedders["text_embedder"], config.TextDim, width).Forward(reference.Get("encoder_hidden_states"));
        if (reference.Has("mid.text_emb"))
            reference.Close("mid.text_emb", text, tolerance);
        Tensor? image = null;
        if (config.ImageDim is { } imageWidth)
        {
            image = new ImageProjection(embedders["image_embedder"], imageWidth, width, config.PosEmbedSeqLen).Forward(Image(config, reference)!);
            reference.Close("mid.image_emb", image, tolerance);
        }
        Tensor x = Linear.OverPatches(parameters["patch_embedding"], width, config.InChannels, config.PatchSize)
            .Forward(Patchify.Cut(latents, config.PatchSize));
        Tensor patches = reference.Get("mid.patch_embedding").flatten(2).transpose(1, 2).reshape(x.shape);
        reference.Close("mid.patch_embedding", patches, x, tolerance);

        Modulation modulation = sequence.Modulation(times);
        for (int i = 0; i < config.NumLayers; i++)
        {
            var block = new TransformerBlock(parameters["blocks"][i], config);
            x = block.Forward(x, time, modulation, block.Keys(text, image), sequence.Layout, sequence.Positions);
            reference.Close($"mid.block{i}", x.view(clips, grid.Count, width), tolerance);
        }
        Tensor output = new OutputHead(parameters, config).Forward(x, embedding, modulation);
        reference.Close("mid.proj_out", output.view(clips, grid.Count, -1), tolerance);
    }
}
