"""The flags of sd-scripts' LoRA scripts: names, types, defaults and choices, as `--help` of commit 48d368f tells them."""

import argparse

SWITCHES = """
console_log_simple v2 v_parameterization cache_info shuffle_caption enable_wildcard color_aug flip_aug random_crop
debug_dataset cache_latents cache_latents_to_disk skip_cache_check enable_bucket bucket_no_upscale alpha_mask
save_state_to_huggingface resume_from_huggingface async_upload save_state save_state_on_train_end mem_eff_attn
torch_compile xformers sdpa persistent_data_loader_workers gradient_checkpointing full_fp16 full_bf16 fp8_base
ddp_gradient_as_bucket_view ddp_static_graph log_config noise_offset_random_strength ip_noise_gamma_random_strength
zero_terminal_snr lowram highvram sample_at_first output_config masked_loss deepspeed zero3_init_flag
zero3_save_16bit_model fp16_master_weights_and_gradients use_8bit_adam use_lion_optimizer fused_backward_pass
scale_v_pred_loss_like_noise_pred debiased_estimation_loss weighted_captions cpu_offload_checkpointing no_metadata
fp8_base_unet network_train_unet_only network_train_text_encoder_only dim_from_weights no_half_vae
skip_until_initial_step
"""

INTEGERS = """
keep_tokens=0 vae_batch_size=1 min_bucket_reso=256 max_bucket_reso=1024 bucket_reso_steps=64 token_warmup_min=1
caption_dropout_every_n_epochs=0 dataset_repeats=1 save_every_n_epochs save_every_n_steps save_n_epoch_ratio
save_last_n_epochs save_last_n_epochs_state save_last_n_steps save_last_n_steps_state train_batch_size=1
max_train_steps=1600 max_train_epochs max_data_loader_n_workers=8 seed gradient_accumulation_steps=1 ddp_timeout
clip_skip multires_noise_iterations min_timestep max_timestep sample_every_n_steps sample_every_n_epochs
lr_scheduler_num_cycles=1 lr_scheduler_timescale network_dim initial_epoch initial_step validation_seed
validate_every_n_steps validate_every_n_epochs max_validation_steps
"""

NUMBERS = """
token_warmup_step=0 caption_dropout_rate=0.0 caption_tag_dropout_rate=0.0 noise_offset ip_noise_gamma multires_noise_discount=0.3
adaptive_noise_scale huber_c=0.1 huber_scale=1.0 prior_loss_weight=1.0 learning_rate=2e-06 max_grad_norm=1.0
lr_scheduler_power=1 lr_scheduler_min_lr_ratio min_snr_gamma v_pred_like_loss unet_lr
network_alpha=1 network_dropout scale_weight_norms validation_split=0.0
"""

TEXTS = """
console_log_file pretrained_model_name_or_path tokenizer_cache_dir metadata_title metadata_author metadata_description
metadata_license metadata_tags metadata_usage_hint metadata_thumbnail metadata_merged_from
metadata_trigger_phrase metadata_preprocessor metadata_is_negative_embedding train_data_dir caption_separator=, caption_extension=.caption caption_extention
keep_tokens_separator=
secondary_separator caption_prefix caption_suffix face_crop_aug_range resolution dataset_class reg_data_dir in_json
output_dir output_name huggingface_repo_id huggingface_repo_type huggingface_path_in_repo huggingface_token
huggingface_repo_visibility resume vae logging_dir log_prefix log_tracker_name wandb_run_name log_tracker_config
wandb_api_key sample_prompts config_file conditioning_data_dir optimizer_type= lr_scheduler_type= lr_scheduler=constant
dataset_config network_weights network_module training_comment
"""

LISTS = "optimizer_args lr_scheduler_args network_args base_weights"

NUMBER_LISTS = "text_encoder_lr base_weights_multiplier"

STEPS_OR_PARTS = "lr_warmup_steps=0 lr_decay_steps=0"

CHOICES = {
    "console_log_level": (None, "DEBUG INFO WARNING ERROR CRITICAL"),
    "resize_interpolation": (None, "lanczos nearest bilinear linear bicubic cubic area"),
    "save_precision": (None, "float fp16 bf16"),
    "dynamo_backend": (
        "inductor",
        "eager aot_eager inductor aot_ts_nvfuser nvprims_nvfuser cudagraphs ofi fx2trt onnxrt tensort ipex tvm",
    ),
    "mixed_precision": ("no", "no fp16 bf16"),
    "log_with": (None, "tensorboard wandb all"),
    "loss_type": ("l2", "l1 l2 huber smooth_l1"),
    "huber_schedule": ("snr", "constant exponential snr"),
    "sample_sampler": (
        "ddim",
        "ddim pndm lms euler euler_a heun dpm_2 dpm_2_a dpmsolver dpmsolver++ dpmsingle k_lms k_euler k_euler_a k_dpm_2 k_dpm_2_a",
    ),
    "save_model_as": ("safetensors", "ckpt pt safetensors"),
}

CACHED_TEXT = "cache_text_encoder_outputs cache_text_encoder_outputs_to_disk disable_mmap_load_safetensors"
WEIGHTING = ("uniform", "sigma_sqrt logit_normal mode cosmap none uniform")
ATTENTION = (None, "torch xformers flash sageattn sdpa")
PREDICTION = "raw additive sigma_scaled"

DIT = {
    "switches": CACHED_TEXT,
    "integers": "text_encoder_batch_size blocks_to_swap",
    "numbers": "logit_mean=0.0 logit_std=1.0 mode_scale=1.29",
    "choices": {"weighting_scheme": WEIGHTING},
}

FAMILIES = {
    "sd": [],
    "sdxl": [{"switches": CACHED_TEXT}],
    "flux": [
        DIT,
        {
            "switches": "apply_t5_attn_mask split_mode",
            "integers": "t5xxl_max_token_length",
            "numbers": "guidance_scale=3.5 sigmoid_scale=1.0 discrete_flow_shift=3.0",
            "texts": "clip_l t5xxl ae controlnet_model_name_or_path",
            "choices": {
                "timestep_sampling": ("sigma", "sigma uniform sigmoid shift flux_shift"),
                "model_prediction_type": ("sigma_scaled", PREDICTION),
                "model_type": ("flux", "flux chroma"),
            },
        },
    ],
    "sd3": [
        DIT,
        {
            "switches": "save_clip save_t5xxl apply_lg_attn_mask apply_t5_attn_mask enable_scaled_pos_embed",
            "integers": "t5xxl_max_token_length=256",
            "numbers": "clip_l_dropout_rate=0.0 clip_g_dropout_rate=0.0 t5_dropout_rate=0.0 pos_emb_random_crop_rate=0.0 training_shift=1.0",
            "texts": "clip_l clip_g t5xxl t5xxl_device t5xxl_dtype",
        },
    ],
    "lumina": [
        DIT,
        {
            "switches": "use_flash_attn use_sage_attn",
            "integers": "gemma2_max_token_length sample_batch_size",
            "numbers": "sigmoid_scale=1.0 discrete_flow_shift=6.0",
            "texts": "gemma2 ae system_prompt=",
            "choices": {
                "timestep_sampling": ("shift", "sigma uniform sigmoid shift nextdit_shift flux_shift"),
                "model_prediction_type": ("raw", PREDICTION),
            },
        },
    ],
    "hunyuan_image": [
        DIT,
        {
            "switches": "fp8_scaled fp8_vl text_encoder_cpu split_attn",
            "integers": "vae_chunk_size",
            "numbers": "sigmoid_scale=1.0 discrete_flow_shift=5.0",
            "texts": "text_encoder byt5",
            "choices": {
                "timestep_sampling": ("sigma", "sigma uniform sigmoid shift flux_shift"),
                "model_prediction_type": ("raw", PREDICTION),
                "attn_mode": ATTENTION,
            },
        },
    ],
    "anima": [
        DIT,
        {
            "switches": "split_attn vae_disable_cache unsloth_offload_checkpointing",
            "integers": "qwen3_max_token_length=512 t5_max_token_length=512 vae_chunk_size",
            "numbers": "llm_adapter_lr self_attn_lr cross_attn_lr mlp_lr mod_lr discrete_flow_shift=1.0 sigmoid_scale=1.0",
            "texts": "qwen3 llm_adapter_path t5_tokenizer_path",
            "choices": {
                "timestep_sampling": ("sigmoid", "sigma uniform sigmoid shift flux_shift"),
                "attn_mode": ATTENTION,
            },
        },
    ],
}


def build_parser(family: str) -> argparse.ArgumentParser:
    """The parser of one family's script. As in sd-scripts, no flag is required by it."""
    parser = argparse.ArgumentParser()
    common = {
        "switches": SWITCHES,
        "integers": INTEGERS,
        "numbers": NUMBERS,
        "texts": TEXTS,
        "steps_or_parts": STEPS_OR_PARTS,
        "lists": LISTS,
        "number_lists": NUMBER_LISTS,
        "choices": CHOICES,
    }
    for table in [common, *FAMILIES[family]]:
        add(parser, table)
    parser.add_argument("--max_token_length", type=int, default=None, choices=[150, 225])
    return parser


def steps_or_part(value: str) -> int | float:
    """A number of steps, or a part of all steps: 100, 0.1 or 10% (train_util.py, int_or_float)."""
    if value.endswith("%"):
        return float(value[:-1]) / 100
    number = float(value)
    return int(value) if number >= 1 else number


def add(parser: argparse.ArgumentParser, table: dict) -> None:
    for name in table.get("switches", "").split():
        parser.add_argument(f"--{name}", action="store_true")
    kinds = [(int, "integers"), (float, "numbers"), (str, "texts"), (steps_or_part, "steps_or_parts")]
    for kind, words in kinds:
        for word in table.get(words, "").split():
            name, has_default, default = word.partition("=")
            parser.add_argument(f"--{name}", type=kind, default=kind(default) if has_default else None)
    for kind, words in [(str, "lists"), (float, "number_lists")]:
        for name in table.get(words, "").split():
            parser.add_argument(f"--{name}", type=kind, nargs="*", default=None)
    for name, (default, words) in table.get("choices", {}).items():
        parser.add_argument(f"--{name}", type=str, default=default, choices=words.split())
