namespace Sora.Weights;

/// <summary>How the parts of a model lie on disk.</summary>
public enum ModelLayout
{
    /// <summary><c>model_index.json</c> and a folder for each part.</summary>
    Diffusers,

    /// <summary>Files that are recognised by their tensors: the original Wan release, or the single files of ComfyUI.</summary>
    Files,
}
