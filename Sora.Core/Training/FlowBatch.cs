using System.Globalization;
using Sora.Latents;
using Sora.Patches;

namespace Sora.Training;

/// <summary>What one step of the flow training learns from: clips of any sizes, packed into one sequence.</summary>
/// <param name="Data">The latents as patches [N, C·pt·ph·pw], in the order of <see cref="Patchify.Cut"/>.</param>
/// <param name="Noise">Gaussian noise of the same shape.</param>
/// <param name="Levels">The noise level of each of the N tokens: 0 for known frames, else in (0, 1).</param>
/// <param name="Grids">The clips' patches; together N.</param>
/// <param name="Captions">One for each clip; empty where the clip trains the unconditional flow.</param>
/// <param name="Subject">1 for the tokens that show the clip's subject, else 0 [N, 1]; null where nobody knows.</param>
internal sealed record FlowBatch(
    Tensor Data, Tensor Noise, float[] Levels, IReadOnlyList<PatchGrid> Grids, IReadOnlyList<string> Captions, Tensor? Subject = null)
{
    /// <summary>The clips of a batch for validation.</summary>
    public const int ValidationClips = 8;

    /// <summary>A batch whose noise is that of each clip's number, whatever clips go with it; its levels are 0.</summary>
    /// <param name="clips">Each clip's patches [n, C·pt·ph·pw], their grid, and a caption.</param>
    /// <param name="first">The number of the first.</param>
    /// <param name="seed">The seed of the noise.</param>
    public static FlowBatch ForValidation(IReadOnlyList<(Tensor Patches, PatchGrid Grid, string Caption)> clips, int first, ulong seed)
    {
        Tensor data = cat([.. clips.Select(clip => clip.Patches)], 0);                           // N P
        var gaussian = new float[data.NumberOfElements];
        int at = 0;
        for (int i = 0; i < clips.Count; i++)
        {
            int length = (int)clips[i].Patches.NumberOfElements;
            new GaussianNoise(seed, string.Create(CultureInfo.InvariantCulture, $"validation {first + i}")).Fill(gaussian.AsSpan(at, length));
            at += length;
        }
        return new(data, tensor(gaussian, data.shape), new float[data.size(0)], [.. clips.Select(clip => clip.Grid)], [.. clips.Select(clip => clip.Caption)]);
    }

    /// <summary>The levels of latent frames [all frames of all clips] for each of their tokens.</summary>
    /// <param name="levels">A level for each patch row in time, clip after clip.</param>
    /// <param name="grids">The clips.</param>
    public static float[] OfTokens(ReadOnlySpan<float> levels, IReadOnlyList<PatchGrid> grids)
    {
        var tokens = new float[grids.Sum(grid => grid.Count)];
        int frame = 0, token = 0;
        foreach (PatchGrid grid in grids)
        {
            int area = grid.H * grid.W;
            for (int t = 0; t < grid.T; t++, token += area)
                tokens.AsSpan(token, area).Fill(levels[frame++]);
        }
        return tokens;
    }
}
