using System.Runtime.InteropServices;
using Sora.Latents;
using Sora.Weights;

namespace Sora.Tests.Weights;

/// <summary>Small LoRA files.</summary>
internal static class TestLora
{
    /// <summary>A float32 tensor of given values.</summary>
    public static SafetensorsContent Tensor(string name, long[] shape, params float[] values) =>
        new(name, SafetensorsType.F32, shape, MemoryMarshal.AsBytes<float>(values).ToArray());

    /// <summary>A float32 tensor of normal numbers that follow from its name.</summary>
    public static SafetensorsContent Random(string name, params long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        new GaussianNoise(5, name).Fill(values);
        return Tensor(name, shape, values);
    }

    /// <summary>A pair and a bias for every linear layer of a transformer's blocks, in the spelling of ComfyUI.</summary>
    public static IEnumerable<SafetensorsContent> ForBlocks(WanTransformerConfig config, int rank = 2)
    {
        long width = config.NumAttentionHeads * config.AttentionHeadDim;
        for (int block = 0; block < config.NumLayers; block++)
        {
            foreach (string attention in (string[])["self_attn", "cross_attn"])
            {
                foreach (string projection in (string[])["q", "k", "v", "o"])
                {
                    string module = $"diffusion_model.blocks.{block}.{attention}.{projection}";
                    yield return Random($"{module}.lora_down.weight", rank, width);
                    yield return Random($"{module}.lora_up.weight", width, rank);
                    yield return Random($"{module}.diff_b", width);
                }
                yield return Random($"diffusion_model.blocks.{block}.{attention}.norm_k.diff", width);
            }
        }
    }

    public static string Write(string path, params IEnumerable<SafetensorsContent> tensors)
    {
        SafetensorsWriter.Write(path, tensors);
        return path;
    }
}
